/** What `pull`, `push`, `image pull` and `image push` have in common: progress, Ctrl-C, and the error when something failed. */
import { CaissonError } from '../errors.ts'
import type { Engine, TransferOptions, Transferred } from '../index.ts'
import type { Context } from './context.ts'
import { Interrupts } from './interrupts.ts'
import { createProgress } from './render/progress.ts'
import { openEngine, requireRoot } from './runtime.ts'
import { EXIT } from './usage.ts'

const isAborted = ({ error }: Transferred): boolean => error?.code === 'EABORTED'

export interface Transfer {
  readonly quiet: boolean
  readonly act: (engine: Engine, options: TransferOptions) => Promise<readonly Transferred[]>
}

/** The outcomes, drawn while they come; undefined after Ctrl-C. What has arrived until then stays for the next time. */
export const transfer = async (
  context: Context,
  { quiet, act }: Transfer,
): Promise<readonly Transferred[] | undefined> => {
  requireRoot()
  const progress = createProgress(context)
  const interrupts = new Interrupts((count) => (count > 1 ? process.exit(EXIT.interrupted) : undefined))
  interrupts.listen()
  try {
    const emit = quiet ? () => {} : progress.emit
    const outcomes = await act(openEngine(context, emit), { signal: interrupts.signal })
    return outcomes.some(isAborted) ? undefined : outcomes
  } finally {
    interrupts.ignore()
    await progress.close()
  }
}

/** Throws the one failure, or all of them in one. */
export const throwFailures = (outcomes: readonly Transferred[]): void => {
  const failed = outcomes.flatMap(({ error }) => error ?? [])
  const [first, ...others] = failed
  if (first === undefined) return
  if (others.length === 0) throw first
  const lines = failed.map(({ message }) => `  ${message}`).join('\n')
  throw new CaissonError('ETRANSFER', `${failed.length} images failed:\n${lines}`, {
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  })
}
