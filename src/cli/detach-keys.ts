/** Keys that end an attachment and leave the process running: `ctrl-p,ctrl-q`. Pure but for what has been typed so far. */
import { UsageError } from './usage.ts'

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q'

const CONTROL = '@abcdefghijklmnopqrstuvwxyz[\\]^_'

const readKey = (key: string, text: string): number => {
  const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase()
  const code = control === undefined ? -1 : CONTROL.indexOf(control)
  if (code >= 0) return code
  if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0)
  throw new UsageError(`--detach-keys takes keys like ctrl-p,ctrl-q or a,b, not "${text}"`)
}

/** Key codes. Throws UsageError. */
export const parseDetachKeys = (text: string): readonly number[] => text.split(',').map((key) => readKey(key, text))

export interface Typed {
  /** What is meant for the process. */
  readonly data: Buffer
  readonly isDetached: boolean
}

/** Holds back what may be the beginning of the sequence, and lets it go when it is not. */
export class DetachKeys {
  readonly #keys: readonly number[]
  #matched = 0

  constructor(keys: readonly number[]) {
    this.#keys = keys
  }

  feed(typed: Buffer): Typed {
    const passed: number[] = []
    for (const byte of typed) {
      if (byte !== this.#keys[this.#matched]) {
        passed.push(...this.#keys.slice(0, this.#matched))
        this.#matched = 0
      }
      if (byte !== this.#keys[this.#matched]) passed.push(byte)
      else if (++this.#matched === this.#keys.length) return { data: Buffer.from(passed), isDetached: true }
    }
    return { data: Buffer.from(passed), isDetached: false }
  }
}
