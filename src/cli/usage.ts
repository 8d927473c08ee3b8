import { CaissonError } from '../errors.ts'

/** The command line itself is wrong. Exit code 2. */
export class UsageError extends CaissonError {
  constructor(message: string, hint?: string) {
    super('EUSAGE', message, hint === undefined ? {} : { hint })
    this.name = 'UsageError'
  }
}

/** For commands that cannot say beforehand what they would do. */
export const refuseDryRun = (command: string, dryRun: boolean): void => {
  if (dryRun) throw new UsageError(`${command} has no dry run`)
}

/** Exit codes of DESIGN §7; `exec` and `--exit-code-from` pass a container's own on. */
export const EXIT = { ok: 0, failure: 1, usage: 2, project: 3, host: 4, timeout: 5, interrupted: 130 } as const
