/**
 * Loads that found nothing to say, remembered with what they looked at, so that checking files that did not change is
 * reading them. Nothing of their content is kept: names of files and variables, and one digest over what they hold.
 */
import { type LoadInput, load, type TreeCache } from './load.ts'
import { type Inputs, Observation } from './observation.ts'
import type { LoadResult } from './project.ts'

interface Remembered {
  readonly files: readonly string[]
  readonly variables: readonly string[]
  readonly digest: string
}

/** One load: of the same files in the same place, with the same options. */
export class KnownGood {
  readonly #cache: TreeCache
  readonly #key: string
  readonly #inputs: Inputs

  /** `request`: everything but texts and variables that decides what comes of the load. */
  constructor(cache: TreeCache, request: unknown, inputs: Inputs) {
    this.#cache = cache
    this.#key = cache.hash(`good ${JSON.stringify(request)}`)
    this.#inputs = inputs
  }

  holds(): boolean {
    const bytes = this.#cache.get(this.#key)
    if (bytes === undefined) return false
    try {
      const known = JSON.parse(new TextDecoder().decode(bytes)) as Remembered
      return known.digest === this.#digest(known)
    } catch {
      return false
    }
  }

  remember({ files, variables, sawAll }: Observation): void {
    if (sawAll) return
    const seen = { files: [...files], variables: [...variables] }
    const text = JSON.stringify({ ...seen, digest: this.#digest(seen) })
    this.#cache.set(this.#key, new TextEncoder().encode(text))
  }

  #digest({ files, variables }: Pick<Remembered, 'files' | 'variables'>): string {
    const { environment, readFile } = this.#inputs
    const texts = files.map((path) => readFile(path) ?? null)
    const values = variables.map((name) => (Object.hasOwn(environment, name) ? environment[name] : null))
    return this.#cache.hash(JSON.stringify([texts, values]))
  }
}

/** Only whether the files are right. undefined: they are known to be, and there is nothing to say. */
export const loadUnlessGood = async (input: LoadInput): Promise<LoadResult | undefined> => {
  const { files, workingDirectory, projectName, profiles, services, options, cache } = input
  const place = { files, workingDirectory, projectName, profiles, services, options }
  // What stands in for wrong variables is not to be told from what they are.
  const known = cache && !input.wrongVariables?.size ? new KnownGood(cache, place, input) : undefined
  if (known?.holds()) return undefined
  const observation = new Observation(input)
  const { environment, readFile } = observation
  const result = await load({ ...input, environment, readFile, isRemembered: known !== undefined })
  if (result.diagnostics.length === 0) known?.remember(observation)
  return result
}
