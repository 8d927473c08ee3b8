/** `--env` and `--label`: `NAME=VALUE`, and what a bare `NAME` means. */
import { UsageError } from './usage.ts'

/** Names to values; those that `lookup` does not know are left out. */
export const readAssignments = (
  items: readonly string[],
  lookup: (name: string) => string | undefined,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    items.flatMap((item) => {
      const cut = item.indexOf('=')
      const name = cut < 0 ? item : item.slice(0, cut)
      if (name === '') throw new UsageError(`"${item}" has no name: NAME=VALUE`)
      const value = cut < 0 ? lookup(name) : item.slice(cut + 1)
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
