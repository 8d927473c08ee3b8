/** Colours. Off for a stream that is no terminal, for NO_COLOR and TERM=dumb; FORCE_COLOR and --ansi always turn them on. */
export type Style = (code: StyleName, text: string) => string

const CODES = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  brightGreen: 92,
  brightBlue: 94,
  brightMagenta: 95,
  brightCyan: 96,
} as const

export type StyleName = keyof typeof CODES

interface Surroundings {
  /** never, always, auto; anything else counts as auto. */
  readonly ansi: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isTTY: boolean
}

const isOn = ({ ansi, env, isTTY }: Surroundings): boolean => {
  if (ansi === 'never') return false
  if (ansi === 'always') return true
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0') return true
  return isTTY && env.TERM !== 'dumb'
}

export const plainStyle: Style = (_code, text) => text

export const styleFor = (surroundings: Surroundings): Style =>
  isOn(surroundings) ? (code, text) => `\x1b[${CODES[code]}m${text}\x1b[0m` : plainStyle
