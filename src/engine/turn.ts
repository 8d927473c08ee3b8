/**
 * Turn: the right of one command to change a project. It has the project's lock while something changes, and gives it back
 * while all that is left is waiting, so that a later `down` overtakes a waiting `up`. Before the next change the lock is
 * taken again, and it is checked that the project is still what the plan was made for.
 */
import type { HeldLock } from '../state/locks.ts'

export interface TurnHooks {
  /** Under the lock, before it is given back: nothing that only a holder may have must be left. */
  readonly beforeRest: () => Promise<void>
  /** Under the lock that was taken again. Throws when the project is another one now. */
  readonly afterRest: () => void
  /** The turn is lost: whatever waits may stop. */
  readonly onLost: (error: unknown) => void
}

const NO_HOOKS: TurnHooks = { beforeRest: async () => {}, afterRest: () => {}, onLost: () => {} }

export class Turn {
  hooks: TurnHooks = NO_HOOKS
  readonly #take: () => Promise<HeldLock>
  #lock: HeldLock | undefined
  #hasRested = false
  #changes = 0
  #lost: { readonly error: unknown } | undefined
  /** Taking and giving back happen one after the other. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(take: () => Promise<HeldLock>) {
    this.#take = take
  }

  /** Runs `work` under the lock. Rejects, from the first time on always with the same error, when the turn is lost. */
  async changing<T>(work: () => Promise<T>): Promise<T> {
    this.#changes += 1
    try {
      await this.#inOrder(() => this.#ensure())
      return await work()
    } finally {
      this.#changes -= 1
      // Whatever follows at once has announced itself by then.
      if (this.#changes === 0) setImmediate(() => void this.#inOrder(() => this.#rest()).catch(() => {}))
    }
  }

  /** Gives the lock back for good. */
  async end(): Promise<void> {
    await this.#inOrder(async () => this.#release())
  }

  #inOrder<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(step)
    this.#queue = result.catch(() => {})
    return result
  }

  async #ensure(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost.error
    if (this.#lock !== undefined) return
    try {
      this.#lock = await this.#take()
      if (this.#hasRested) this.hooks.afterRest()
    } catch (error) {
      this.#lose(error)
      throw error
    }
  }

  async #rest(): Promise<void> {
    if (this.#changes > 0 || this.#lock === undefined) return
    try {
      await this.hooks.beforeRest()
    } catch (error) {
      this.#lose(error)
    }
    this.#hasRested = true
    this.#release()
  }

  #lose(error: unknown): void {
    this.#lost ??= { error }
    this.hooks.onLost(error)
  }

  #release(): void {
    this.#lock?.release()
    this.#lock = undefined
  }
}
