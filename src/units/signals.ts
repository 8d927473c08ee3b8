/** Signal names and numbers of Linux on x86-64, arm64 and riscv64 (asm-generic/signal.h). */

const NAMES = [
  '',
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'STKFLT',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'IO',
  'PWR',
  'SYS',
]
const ALIASES: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29 }
/** With SIG. */
export const SIGNAL_NAMES: readonly string[] = NAMES.slice(1).map((name) => `SIG${name}`)

/** As glibc counts: the kernel's 32 and 33 are its own. */
const RTMIN = 34
const RTMAX = 64

const realTime = (name: string): number | undefined => {
  const match = /^(RTMIN|RTMAX)(?:([+-])(\d{1,2}))?$/.exec(name)
  if (match === null) return undefined
  const offset = Number(match[3] ?? 0) * (match[2] === '-' ? -1 : 1)
  const number = (match[1] === 'RTMIN' ? RTMIN : RTMAX) + offset
  return number >= RTMIN && number <= RTMAX ? number : undefined
}

/** Number of `SIGTERM`, `term`, `15`, `SIGRTMIN+3`; undefined where there is no such signal. */
export const parseSignal = (text: string): number | undefined => {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= RTMAX ? Number(text) : undefined
  const name = text.toUpperCase().replace(/^SIG/, '')
  if (name === '') return undefined
  const index = NAMES.indexOf(name)
  return index > 0 ? index : (ALIASES[name] ?? realTime(name))
}

/** `SIGTERM` of 15, `SIGRTMIN+3` of 37; the number as text where it has no name. */
export const signalName = (signal: number): string => {
  const name = NAMES[signal]
  if (name) return `SIG${name}`
  if (signal < RTMIN || signal > RTMAX) return String(signal)
  return signal === RTMIN ? 'SIGRTMIN' : `SIGRTMIN+${signal - RTMIN}`
}
