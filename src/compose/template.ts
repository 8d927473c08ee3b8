/**
 * The substitution language: `$NAME`, `${NAME}`, `${NAME:-default}` and its relatives, `$$`. One pass over the text. A nested
 * word that is not used has to be well-formed, and says nothing else. A dollar sign before anything else is a dollar sign.
 */

export interface TemplateContext {
  lookup(name: string): string | undefined
  /** A variable without value stands in for ''. Offsets into the text. */
  unset(name: string, start: number, end: number): void
  /** `:?` or `?` of a variable without value. */
  required(name: string, message: string, start: number, end: number): void
  /** Not a valid template. */
  invalid(start: number, end: number): void
  /** Every variable that was looked at. */
  used(name: string): void
}

const NAME = /[_a-zA-Z][_a-zA-Z0-9]*/y
const OPERATOR = /:?[-?+]/y

const matchAt = (pattern: RegExp, text: string, offset: number): string | undefined => {
  pattern.lastIndex = offset
  return pattern.exec(text)?.[0]
}

/** Words in words … in words: more is no text that anybody wrote. */
const DEEPEST = 100

/** Offset of the brace that closes the one before `offset`: where braces do not pair up, the last of the line. -1: none. */
const closingBrace = (text: string, offset: number): number => {
  let depth = 1
  let last = -1
  for (let index = offset; index < text.length && text[index] !== '\n'; index++) {
    if (text[index] === '{') depth++
    else if (text[index] === '}') {
      last = index
      if (--depth === 0) return index
    }
  }
  return last
}

interface Braced {
  readonly name: string
  readonly operator: string
  readonly word: string
  readonly wordStart: number
  readonly start: number
  readonly end: number
}

const parseBraced = (text: string, start: number): Braced | undefined => {
  const close = closingBrace(text, start + 2)
  const name = matchAt(NAME, text, start + 2)
  if (close < 0 || name === undefined) return undefined
  const after = start + 2 + name.length
  const operator = after === close ? '' : (matchAt(OPERATOR, text, after) ?? 'bad')
  if (operator === 'bad') return undefined
  const wordStart = after + operator.length
  return { name, operator, word: text.slice(wordStart, close), wordStart, start, end: close + 1 }
}

const unused = (context: TemplateContext): TemplateContext => ({
  ...context,
  unset: () => {},
  required: () => {},
  used: () => {},
})

/** Where a word stands: its offset in the whole value, and how many others it stands in. */
interface Level {
  readonly offset: number
  readonly depth: number
}

const TOP: Level = { offset: 0, depth: 0 }

const evaluateBraced = (braced: Braced, context: TemplateContext, { offset, depth }: Level): string => {
  const { name, operator, word } = braced
  const value = context.lookup(name)
  context.used(name)
  const start = offset + braced.start
  const end = offset + braced.end
  const present = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined
  const isUsed = operator.endsWith('+') ? present : !present
  const replaced = substitute(word, isUsed ? context : unused(context), {
    offset: offset + braced.wordStart,
    depth: depth + 1,
  })
  switch (operator.at(-1)) {
    case '-':
    case '+':
      return isUsed ? replaced : (value ?? '')
    case '?':
      if (isUsed) context.required(name, replaced, start, end)
      return value ?? ''
    default:
      if (value === undefined) context.unset(name, start, end)
      return value ?? ''
  }
}

/** The text with its variables replaced. `level`: of `text` in the whole value, for the places of nested words. */
export const substitute = (text: string, context: TemplateContext, level: Level = TOP): string => {
  const { offset, depth } = level
  let result = ''
  let index = 0
  for (;;) {
    const dollar = text.indexOf('$', index)
    if (dollar < 0) return result + text.slice(index)
    result += text.slice(index, dollar)
    const next = text[dollar + 1]
    if (next === '$') {
      result += '$'
      index = dollar + 2
      continue
    }
    if (next === '{') {
      const braced = parseBraced(text, dollar)
      if (!braced || depth >= DEEPEST) {
        const close = text.indexOf('}', dollar)
        context.invalid(offset + dollar, offset + (close < 0 ? text.length : close + 1))
        return result
      }
      result += evaluateBraced(braced, context, level)
      index = braced.end
      continue
    }
    const name = matchAt(NAME, text, dollar + 1)
    if (name === undefined) {
      result += '$'
      index = dollar + 1
      continue
    }
    const value = context.lookup(name)
    context.used(name)
    index = dollar + 1 + name.length
    if (value === undefined) context.unset(name, offset + dollar, offset + index)
    result += value ?? ''
  }
}

/** What a text says of a variable. */
export interface NamedVariable {
  readonly name: string
  /** `:?` or `?`. */
  readonly required: boolean
  /** Behind `:-` or `-`, as written; empty: none. */
  readonly fallback: string
  /** Behind `:+` or `+`, as written; empty: none. */
  readonly alternate: string
}

const named = ({ name, operator, word }: Pick<Braced, 'name' | 'operator' | 'word'>): NamedVariable => ({
  name,
  required: operator.endsWith('?'),
  fallback: operator.endsWith('-') ? word : '',
  alternate: operator.endsWith('+') ? word : '',
})

/** Variables of a text in their order, those in words of others after these. What is not a template names none. */
export const variablesOf = (text: string): readonly NamedVariable[] => {
  const found: NamedVariable[] = []
  let index = 0
  for (let dollar = text.indexOf('$'); dollar >= 0; dollar = text.indexOf('$', index)) {
    index = dollar + 2
    if (text[dollar + 1] === '$') continue
    const braced = text[dollar + 1] === '{' ? parseBraced(text, dollar) : undefined
    if (braced) {
      found.push(named(braced), ...variablesOf(braced.word))
      index = braced.end
      continue
    }
    const name = matchAt(NAME, text, dollar + 1)
    if (name === undefined) continue
    found.push(named({ name, operator: '', word: '' }))
    index = dollar + 1 + name.length
  }
  return found
}
