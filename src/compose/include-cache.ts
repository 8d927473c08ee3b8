/** Included trees of one load: a file that several others include is read once for each environment and directory. */
import type { Include } from './include.ts'
import type { MapNode } from './node.ts'

type Environment = Readonly<Record<string, string>>

export class IncludeCache {
  readonly #environments = new Map<string, Environment>()
  readonly #ids = new Map<Environment, number>()
  readonly #trees = new Map<string, MapNode | undefined>()

  /** The same object for the same files below the same parent. */
  environment(include: Include, parent: Environment, create: () => Environment): Environment {
    const files = include.envFiles?.map(({ file }) => file) ?? [include.directory]
    const key = JSON.stringify([this.#idOf(parent), include.envFiles === undefined, ...files])
    const environment = this.#environments.get(key) ?? create()
    this.#environments.set(key, environment)
    return environment
  }

  key(include: Include, environment: Environment, directory: string): string {
    const files = include.files.map(({ file }) => file)
    return JSON.stringify([this.#idOf(environment), directory, include.directory, ...files])
  }

  /** undefined: it cannot be had, which was reported. `read`: for the first time. */
  async tree(key: string, read: () => Promise<MapNode | undefined>): Promise<MapNode | undefined> {
    if (!this.#trees.has(key)) this.#trees.set(key, await read())
    return this.#trees.get(key)
  }

  #idOf(environment: Environment): number {
    const id = this.#ids.get(environment) ?? this.#ids.size
    this.#ids.set(environment, id)
    return id
  }
}
