import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { substitute, variablesOf } from '../../src/compose/template.ts'
import { askedVariables } from '../../src/compose/variables.ts'

const words = (text: string): readonly string[] =>
  variablesOf(text).map(({ name, required, fallback, alternate }) =>
    [name, required ? 'required' : '', fallback, alternate].join('|'),
  )

test('every form of a variable says its name and what is beside it', () => {
  assert.equal(words('$A-${B}/${C:-c}${D-d}'), ['A|||', 'B|||', 'C||c|', 'D||d|'])
  assert.equal(words('${A:?say it}${B?}${C:+c}${D+d}'), ['A|required||', 'B|required||', 'C|||c', 'D|||d'])
})

test('variables in words of others are there too', () => {
  assert.equal(words('${A:-${B:-${C}}}'), ['A||${B:-${C}}|', 'B||${C}|', 'C|||'])
})

test('dollar signs that begin no variable name none', () => {
  assert.equal(words('$$A $1 $ ${} ${1} ${A ${'), [])
  assert.equal(words('$$$A'), ['A|||'])
})

test('what several places say of one variable is told together', () => {
  const model = { a: '${X}', b: ['${X:-one}', { c: '${X:?}' }], d: '${X:-two}', e: 5, f: null }
  assert.equal(askedVariables(model), [{ name: 'X', required: true, fallback: 'one', alternate: '' }])
})

const pieces = fc.constantFrom('$', '{', '}', ':-', '-', ':?', '+', 'A', 'B', '${A', '${B:-', '$$', ' ', '1')

test('every variable that is looked at has been named', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('')
      const used = new Set<string>()
      let valid = true
      substitute(text, {
        lookup: () => undefined,
        used: (name) => used.add(name),
        unset: () => {},
        required: () => {},
        invalid: () => {
          valid = false
        },
      })
      const named = new Set(variablesOf(text).map(({ name }) => name))
      if (valid)
        assert.equal(
          [...used].filter((name) => !named.has(name)),
          [],
        )
    }),
  )
})

test.run()
