/** Names with `*`, `?` and `[…]`, as Go's filepath.Match reads them. */

/** Characters that no name of a service has. */
const SPECIAL = /[*?[\\]/

const PART = /(\*+)|(\?)|\[(\^?)((?:\\.|[^\\\]])+)\]|\\?([^*?[\\]|(?<=\\)[*?[\\])/gsu

const quote = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`

const setOf = (text: string): string =>
  text.replaceAll(/\\(.)|(-)|(.)/gsu, (_, escaped?: string, dash?: string, plain?: string) =>
    dash === undefined ? quote(escaped ?? plain ?? '') : dash,
  )

/** undefined: it is cut off within brackets or behind a backslash, and fits nothing. */
const compile = (glob: string): RegExp | undefined => {
  let length = 0
  const source = glob.replaceAll(
    PART,
    (part, many?: string, one?: string, not?: string, set?: string, own?: string) => {
      length += part.length
      if (many !== undefined) return '.*'
      if (one !== undefined) return '.'
      return set === undefined ? quote(own ?? '') : `[${not}${setOf(set)}]`
    },
  )
  try {
    return length === glob.length ? new RegExp(`^${source}$`, 'su') : undefined
  } catch {
    return undefined
  }
}

/** The names that a pattern fits; a name fits itself alone. */
export const namesLike = (pattern: string, names: readonly string[]): readonly string[] => {
  if (!SPECIAL.test(pattern)) return names.filter((name) => name === pattern)
  const compiled = compile(pattern)
  return compiled === undefined ? [] : names.filter((name) => compiled.test(name))
}
