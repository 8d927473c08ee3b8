/** Dependency graphs of services: order, selection, cycles. */

/** Name to the names it depends on. Names that are no key of the map are ignored. */
export type Graph = ReadonlyMap<string, readonly string[]>

/** Thrown by nothing: a cycle is data. `order` leaves out the edge that closes it, so it always has every name. */
export interface Ordered {
  /** Dependencies before dependents; otherwise by name. */
  readonly order: readonly string[]
  /** `a, b, a` for the first cycle; undefined: none. */
  readonly cycle: readonly string[] | undefined
}

/** Depth first over names in alphabetical order, so that equal graphs give equal text. */
export const dependencyOrder = (graph: Graph): Ordered => {
  const order: string[] = []
  const done = new Set<string>()
  const path: string[] = []
  let cycle: readonly string[] | undefined
  const visit = (name: string) => {
    const dependencies = graph.get(name)
    if (dependencies === undefined || done.has(name)) return
    if (path.includes(name)) {
      cycle ??= [...path.slice(path.indexOf(name)), name]
      return
    }
    path.push(name)
    for (const dependency of [...dependencies].sort()) visit(dependency)
    path.pop()
    done.add(name)
    order.push(name)
  }
  for (const name of [...graph.keys()].sort()) visit(name)
  return { order, cycle }
}

/** `names` and all that they depend on, transitively. */
export const withDependencies = (graph: Graph, names: Iterable<string>): ReadonlySet<string> => {
  const found = new Set<string>()
  const queue = [...names]
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const dependencies = graph.get(name)
    if (dependencies === undefined || found.has(name)) continue
    found.add(name)
    queue.push(...dependencies)
  }
  return found
}

/** The same graph read backwards: name to its dependents. */
export const reversed = (graph: Graph): Graph => {
  const dependents = new Map<string, string[]>([...graph.keys()].map((name) => [name, []]))
  for (const [name, dependencies] of graph)
    for (const dependency of dependencies) dependents.get(dependency)?.push(name)
  return dependents
}
