/** Keys of an attached `up --menu`. The terminal is read key by key, so that Ctrl-C and Ctrl-Z are ours to act on. */
import type { Context } from './context.ts'

export interface MenuActions {
  readonly interrupt: () => void
  /** Leave, with the containers running. */
  readonly detach: () => void
}

const HELP = `
  d       detach: leave the containers running
  w       watch: not there yet
  Enter   an empty line
  ?       this help
  Ctrl-C  stop the services; once more: kill them
`

const HINT = 'd detach · w watch · ? help'

const CTRL_C = '\x03'
const CTRL_Z = '\x1a'

/** Stops this process as the terminal would, and takes the keys again when it goes on. */
const suspend = (): void => {
  process.stdin.setRawMode(false)
  process.once('SIGCONT', () => process.stdin.setRawMode(true))
  process.kill(process.pid, 'SIGTSTP')
}

const ACTIONS: Readonly<Record<string, (context: Context, actions: MenuActions) => void>> = {
  [CTRL_C]: (_context, { interrupt }) => interrupt(),
  [CTRL_Z]: suspend,
  d: (_context, { detach }) => detach(),
  w: ({ stderr }) => stderr.write('watch is not there yet\n'),
  '?': ({ stderr }) => stderr.write(HELP),
  h: ({ stderr }) => stderr.write(HELP),
  '\r': ({ stderr }) => stderr.write('\n'),
}

/** Returns what gives the terminal back. Without a terminal there is no menu. */
export const openMenu = (context: Context, actions: MenuActions): (() => void) => {
  const { stdin } = process
  if (!stdin.isTTY || !context.stderr.isTTY) return () => {}
  const read = (data: Buffer): void => {
    for (const key of data.toString()) ACTIONS[key]?.(context, actions)
  }
  stdin.setRawMode(true)
  stdin.on('data', read)
  context.stderr.write(`${context.stderr.style('dim', HINT)}\n`)
  return () => {
    stdin.off('data', read)
    stdin.setRawMode(false)
    stdin.pause()
    stdin.unref()
  }
}
