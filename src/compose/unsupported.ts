/** Parts of the specification that change what a file means and are not there yet. They go, with a word about it. */
import type { TreePath } from '../errors.ts'
import type { MapNode, Node } from './node.ts'
import { get, mapValues, withEntries } from './node.ts'
import type { Report } from './report.ts'

const remove = (node: MapNode, key: string, path: TreePath, report: Report): MapNode => {
  const entry = node.entries.get(key)
  if (!entry) return node
  const origin = entry.key ?? entry.value.origin
  report.add({ code: 'not-supported-yet', path: [...path, key], message: `"${key}" is not supported yet`, origin })
  return withEntries(node, { [key]: undefined })
}

export const dropUnsupported = (tree: Node, report: Report): Node => {
  if (tree.kind !== 'map') return tree
  const services = get(tree, 'services')
  const withoutTop = remove(remove(tree, 'include', [], report), 'models', [], report)
  if (services?.kind !== 'map') return withoutTop
  const changed = mapValues(services, (service, name) => {
    if (service.kind !== 'map') return service
    const path = ['services', name]
    return remove(remove(service, 'extends', path, report), 'models', path, report)
  })
  return withEntries(withoutTop, { services: changed })
}
