/** Map from path to Origin, of the tree as it came out of the last phase. */
import { pointerOf } from '../errors.ts'
import type { Node } from './node.ts'
import type { LoadResult, Origin } from './project.ts'

type Origins = LoadResult['origins']

const step = (name: string | number): string => pointerOf([name])

const collect = (root: Node): Map<string, { value: Origin; key: Origin | undefined }> => {
  const origins = new Map<string, { value: Origin; key: Origin | undefined }>()
  const visit = (node: Node, pointer: string, key: Origin | undefined): void => {
    origins.set(pointer, { value: node.origin, key })
    if (node.kind === 'map')
      for (const [name, entry] of node.entries) visit(entry.value, pointer + step(name), entry.key)
    if (node.kind === 'sequence')
      for (const [index, item] of node.items.entries()) visit(item, `${pointer}/${index}`, undefined)
  }
  visit(root, '', undefined)
  return origins
}

/** Built at the first look: most commands never ask where something came from. */
export class LazyOrigins implements Origins {
  readonly #root: Node
  #map: Origins | undefined

  constructor(root: Node) {
    this.#root = root
  }

  get #origins(): Origins {
    this.#map ??= collect(this.#root)
    return this.#map
  }

  get size(): number {
    return this.#origins.size
  }
  get(pointer: string): { value: Origin; key: Origin | undefined } | undefined {
    return this.#origins.get(pointer)
  }
  has(pointer: string): boolean {
    return this.#origins.has(pointer)
  }
  forEach(visit: Parameters<Origins['forEach']>[0]): void {
    this.#origins.forEach(visit)
  }
  entries(): ReturnType<Origins['entries']> {
    return this.#origins.entries()
  }
  keys(): ReturnType<Origins['keys']> {
    return this.#origins.keys()
  }
  values(): ReturnType<Origins['values']> {
    return this.#origins.values()
  }
  [Symbol.iterator](): ReturnType<Origins['entries']> {
    return this.#origins.entries()
  }
}
