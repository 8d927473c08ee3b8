import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { choice, flag, integer, list, parse, refused, text } from '../../src/cli/grammar.ts'
import { UsageError } from '../../src/cli/usage.ts'

const table = {
  detach: flag('', 'd'),
  volumes: flag('', 'v'),
  force: flag('', 'f'),
  file: list('FILE', '', 'c'),
  env: list('NAME=VALUE', '', 'e'),
  timeout: integer('SECONDS', '', 't'),
  removeOrphans: flag(''),
  format: choice(['table', 'json'], 'table', ''),
  user: text('USER', '', 'u'),
  build: refused(flag(''), 'not yet'),
}
const read = (line: string, interspersed = true) =>
  parse(line === '' ? [] : line.split(' '), table, {
    interspersed,
    command: 'up',
    globals: { projectName: text('NAME', '', 'p') },
  })

const failure = (line: string): UsageError => {
  try {
    read(line)
  } catch (error) {
    assert.instance(error, UsageError)
    return error as UsageError
  }
  throw new Error(`"${line}" was accepted`)
}

test('options may follow words', () => {
  const { values, positionals } = read('web -d')
  assert.is(values.detach, true)
  assert.equal(positionals, ['web'])
})

test('without interspersing, options end at the first word', () => {
  const { values, positionals } = read('-e A=1 web ls -la', false)
  assert.equal(values.env, ['A=1'])
  assert.equal(positionals, ['web', 'ls', '-la'])
})

test('two dashes end options', () => assert.equal(read('-d -- -v --file').positionals, ['-v', '--file']))

test('a dash alone is a word', () => assert.equal(read('-').positionals, ['-']))

test('a value may follow, be attached, or be behind an equals sign', () => {
  assert.equal(read('-c a -cb -c=c --file d --file=e').values.file, ['a', 'b', 'c', 'd', 'e'])
})

test('an attached value keeps its own equals signs', () => assert.equal(read('--env=A=b=c').values.env, ['A=b=c']))

test('a value may begin with a dash', () => assert.is(read('--user -1').values.user, '-1'))

test('short flags may be grouped, the last with a value', () => {
  const { values } = read('-dvt 5')
  assert.equal([values.detach, values.volumes, values.timeout], [true, true, 5])
})

test('a flag takes a boolean behind an equals sign', () => {
  assert.is(read('--remove-orphans=false').values.removeOrphans, false)
  assert.is(read('-d=f').values.detach, false)
  assert.match(failure('--detach=maybe').message, '"maybe"')
})

test('what was given is told from what is the default', () => {
  assert.equal([...read('--detach=false').given], ['detach'])
  assert.equal([...read('').given], [])
})

test('a missing value is an error', () => assert.match(failure('--timeout').message, '--timeout needs a value'))

test('a number has to be one', () => {
  assert.match(failure('-t soon').message, '"soon"')
  assert.match(failure('-t -1').message, 'at least 0')
})

test('a choice names the others, and what was probably meant', () => {
  const { message, hint } = failure('--format jsn')
  assert.match(message, 'table, json')
  assert.is(hint, 'did you mean "json"?')
})

test('an unknown flag suggests a known one', () => assert.is(failure('--detatch').hint, 'did you mean "--detach"?'))

test('a global option behind the command says where it belongs', () => {
  assert.match(failure('-p x').hint ?? '', 'goes before the command')
  assert.match(failure('--project-name=x').hint ?? '', 'goes before the command')
})

test('an option of later says so', () => assert.match(failure('--build').message, 'not supported yet: not yet'))

test.run()
