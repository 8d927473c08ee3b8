/** Lengths of C++ functions, by their braces. Enough for a style that clang-format would leave alone. */

export interface CppFunction {
  /** First line of its signature. */
  readonly signature: string
  /** From 1. */
  readonly line: number
  readonly lines: number
}

const withoutText = (source: string): string =>
  source
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ''))
    .replaceAll(/\/\/.*|^#.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'/gm, '')

const SCOPE = /^(?:inline\s+)?(?:namespace|class|struct|union|enum|extern)\b/

interface Brace {
  readonly kind: 'scope' | 'function' | 'block'
  readonly line: number
  readonly signature: string
}

/** Reads braces; what stands before one says what it opens. */
class Reader {
  readonly found: CppFunction[] = []
  readonly #open: Brace[] = []
  #head = ''
  #headLine = 1

  read(letter: string, line: number): void {
    if (letter === '{') this.#begin()
    else if (letter === '}') this.#end(line)
    else if (letter === ';') this.#head = ''
    else this.#add(letter, line)
  }

  #add(letter: string, line: number): void {
    if (this.#head.trim() === '' && letter.trim() !== '') this.#headLine = line
    this.#head += letter
  }

  #begin(): void {
    const head = this.#head.trim()
    const inFunction = this.#open.some((brace) => brace.kind === 'function')
    const isScope = (SCOPE.test(head) && !head.endsWith(')')) || !head.includes('(')
    this.#open.push({
      kind: inFunction ? 'block' : isScope ? 'scope' : 'function',
      line: this.#headLine,
      signature: head.split('\n')[0] ?? '',
    })
    this.#head = ''
  }

  #end(line: number): void {
    const brace = this.#open.pop()
    if (brace?.kind === 'function')
      this.found.push({ signature: brace.signature, line: brace.line, lines: line + 1 - brace.line })
    this.#head = ''
  }
}

/** Functions and methods; lambdas belong to the function around them. */
export const functionsOf = (source: string): CppFunction[] => {
  const reader = new Reader()
  for (const [index, line] of withoutText(source).split('\n').entries()) {
    for (const letter of `${line}\n`) reader.read(letter, index + 1)
  }
  return reader.found
}
