import { createInterface } from 'node:readline/promises'
import { UsageError } from './usage.ts'

/** Asks on the terminal. Throws UsageError where there is none: `command -f` does not ask. */
export const confirm = async (command: string, question: string): Promise<boolean> => {
  if (process.stdin.isTTY !== true)
    throw new UsageError(`${command} asks before it removes, and there is no terminal`, `use ${command} -f`)
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await asking.question(question)).trim())
  } finally {
    asking.close()
  }
}
