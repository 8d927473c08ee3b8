/** Keys of a terminal while something is drawn on it: q and Ctrl-C end it, Ctrl-Z stops the process for a while. */
import { EXIT } from './usage.ts'

export interface Keys {
  /** Exit code, once somebody wants it to end. */
  readonly ended: Promise<number>
  /** Gives the terminal back as it was. */
  close(): void
}

const CTRL_C = '\x03'
const CTRL_Z = '\x1a'

const endOf = (key: string): number | undefined => {
  if (key === CTRL_C) return EXIT.interrupted
  return key === 'q' || key === 'Q' ? EXIT.ok : undefined
}

/** Signals only, where stdin is no terminal. */
export const listenForKeys = (stdin: NodeJS.ReadStream): Keys => {
  let end: (exitCode: number) => void = () => {}
  const ended = new Promise<number>((resolve) => {
    end = resolve
  })
  const raw = (on: boolean): void => {
    if (stdin.isTTY) stdin.setRawMode(on)
  }
  const onData = (data: Buffer): void => {
    for (const key of data.toString('latin1')) {
      const exitCode = endOf(key)
      if (exitCode !== undefined) end(exitCode)
      if (key !== CTRL_Z) continue
      raw(false)
      process.kill(process.pid, 'SIGTSTP')
    }
  }
  const onContinue = (): void => raw(true)
  const onSignal = (): void => end(EXIT.interrupted)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  process.on('SIGCONT', onContinue)
  if (stdin.isTTY) {
    raw(true)
    stdin.on('data', onData)
  }
  return {
    ended,
    close: () => {
      for (const signal of signals) process.off(signal, onSignal)
      process.off('SIGCONT', onContinue)
      if (!stdin.isTTY) return
      stdin.off('data', onData)
      raw(false)
      stdin.pause()
    },
  }
}
