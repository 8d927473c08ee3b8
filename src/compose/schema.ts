/** Checks the merged tree against schemas/compose.schema.json. What is wrong is reported and poisoned. */
import type { TreePath } from '../errors.ts'
import type { Node, Plain } from './node.ts'
import { mapItems, mapValues, poisoned, replaceAt, toPlain } from './node.ts'
import type { Report } from './report.ts'
import { nameOf } from './words.ts'

/** Remembers values that passed, so that the validator need not even be loaded for a file seen before. */
export interface PassedCache {
  has(value: Plain): boolean
  add(value: Plain): void
}

const poisonDates = (tree: Node, report: Report): Node => {
  const path: (string | number)[] = []
  const step = (name: string | number, node: Node): Node => {
    path.push(name)
    const result = walk(node)
    path.pop()
    return result
  }
  const walk = (node: Node): Node => {
    if (node.kind === 'map')
      return mapValues(node, (value, name) => (name.startsWith('x-') ? value : step(name, value)))
    if (node.kind === 'sequence') return mapItems(node, (item, index) => step(index, item))
    if (node.kind !== 'scalar' || !node.date) return node
    const message = `${nameOf(path)} is a date as it stands, not text`
    report.add({
      code: 'date-unquoted',
      path,
      message,
      hint: `put it in quotes: "${String(node.value)}"`,
      origin: node.origin,
    })
    return poisoned(node.origin)
  }
  return walk(tree)
}

const poisonAt = (tree: Node, path: TreePath): Node => {
  if (path.length === 0) return poisoned(tree.origin)
  return replaceAt(tree, path, poisoned(tree.origin))
}

export const checkSchema = async (input: Node, report: Report, passed?: PassedCache): Promise<Node> => {
  const tree = poisonDates(input, report)
  const plain = toPlain(tree)
  if (passed?.has(plain)) return tree
  const { validate } = await import('../../build/compose-validator.cjs')
  if (validate(plain) || validate.errors === null) {
    passed?.add(plain)
    return tree
  }
  const { reportMistakes } = await import('./schema-words.ts')
  return reportMistakes(tree, validate.errors, report).reduce(poisonAt, tree)
}
