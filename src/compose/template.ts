/**
 * The substitution language: `$NAME`, `${NAME}`, `${NAME:-default}` and its relatives, `$$`. One pass over the text, nested
 * words evaluated only when they are used.
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

/** Offset of the brace that closes the one before `offset`; -1 where there is none. */
const closingBrace = (text: string, offset: number): number => {
  let depth = 1
  for (let index = offset; index < text.length; index++) {
    if (text[index] === '{') depth++
    else if (text[index] === '}' && --depth === 0) return index
  }
  return -1
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

const evaluateBraced = (braced: Braced, context: TemplateContext, offset: number): string => {
  const { name, operator, word } = braced
  const value = context.lookup(name)
  context.used(name)
  const start = offset + braced.start
  const end = offset + braced.end
  const present = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined
  const evaluateWord = (): string => substitute(word, context, offset + braced.wordStart)
  switch (operator.at(-1)) {
    case '-':
      return present ? (value ?? '') : evaluateWord()
    case '+':
      return present ? evaluateWord() : (value ?? '')
    case '?':
      if (!present) context.required(name, evaluateWord(), start, end)
      return value ?? ''
    default:
      if (value === undefined) context.unset(name, start, end)
      return value ?? ''
  }
}

/** The text with its variables replaced. `offset`: of `text` in the whole value, for the places of nested words. */
export const substitute = (text: string, context: TemplateContext, offset = 0): string => {
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
      if (!braced) {
        const close = text.indexOf('}', dollar)
        context.invalid(offset + dollar, offset + (close < 0 ? text.length : close + 1))
        return result
      }
      result += evaluateBraced(braced, context, offset)
      index = braced.end
      continue
    }
    const name = matchAt(NAME, text, dollar + 1)
    if (name === undefined) {
      context.invalid(offset + dollar, offset + dollar + 2)
      return result
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
