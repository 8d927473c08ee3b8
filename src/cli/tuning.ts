/**
 * How V8 runs once a large file was read. Where a page of memory is dear (in virtual machines, where it takes two
 * page tables), a young generation that grows costs more than the collections that it saves: twice the time of all phases
 * together. And what a load of a thousand services runs is over before compiling it has paid.
 */

/** Characters of a file that is worth it: some hundred services. */
const LARGE = 48 * 1024

/** V8 11 (Node 20) knows the budget by this name; later ones complain of it on stderr. */
const KNOWS_BUDGET = Number.parseInt(process.versions.v8, 10) < 12

/** Young generation of one megabyte; optimise what has run for fifteen times as long as usual. */
const MUCH = ['--semi-space-growth-factor=1', ...(KNOWS_BUDGET ? ['--interrupt-budget=1000000'] : [])]
/** V8's own, so that its code caches fit again: it refuses those of other flags. */
const USUAL = ['--semi-space-growth-factor=2', ...(KNOWS_BUDGET ? ['--interrupt-budget=67584'] : [])]

/** Loaded when it is needed: most commands read small files. */
const v8 = (): typeof import('node:v8') => process.getBuiltinModule('node:v8')

const set = (flags: readonly string[]): void => {
  for (const flag of flags) v8().setFlagsFromString(flag)
}

export class Tuning {
  /** V8's mark on code caches before anything was set; undefined: nothing is. */
  #mark: number | undefined

  /** A text was read that a lot will be made of. */
  readonly expect = (text: string): void => {
    if (text.length < LARGE || this.#mark !== undefined) return
    this.#mark = v8().cachedDataVersionTag()
    set(MUCH)
  }

  /** With flags as code caches are read and written. */
  asUsual<T>(action: () => T): T {
    if (this.#mark === undefined) return action()
    set(USUAL)
    try {
      return action()
    } finally {
      set(MUCH)
    }
  }

  /** false: a code cache would carry flags that the next process does not start with. To be asked as usual. */
  get isUsual(): boolean {
    return this.#mark === undefined || v8().cachedDataVersionTag() === this.#mark
  }
}
