/** WWW-Authenticate (RFC 9110 §11.6.1): one field may hold several challenges, each with parameters. */

export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const PARAMETER = new RegExp(`\\s*,?\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`, 'y')
const SCHEME = new RegExp(`\\s*,?\\s*(${TOKEN})(?=\\s|,|$)(?!\\s*=)`, 'y')

/** What cannot be read ends the list. */
export const parseChallenges = (field: string): readonly Challenge[] => {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  for (let at = 0; at < field.length; ) {
    PARAMETER.lastIndex = at
    SCHEME.lastIndex = at
    const parameter = challenges.length > 0 ? PARAMETER.exec(field) : null
    const scheme = parameter === null ? SCHEME.exec(field) : null
    if (parameter !== null) {
      const [whole, name = '', quoted, plain = ''] = parameter
      const last = challenges.at(-1)
      if (last !== undefined) last.parameters[name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain
      at += whole.length
    } else if (scheme !== null) {
      challenges.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: {} })
      at += scheme[0].length
    } else break
  }
  return challenges
}
