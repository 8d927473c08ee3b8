/**
 * Path patterns such as `services.*.ports.[]`: `*` is any key of a map, `[]` any item of a sequence. A table of them is
 * compiled to a trie that a walker descends beside the tree, so that looking a path up costs nothing per node.
 */
import type { TreePath } from '../errors.ts'

export interface PatternNode<T> {
  readonly steps: Map<string, PatternNode<T>>
  value: T | undefined
}

const createNode = <T>(): PatternNode<T> => ({ steps: new Map(), value: undefined })

export const compilePatterns = <T>(table: Readonly<Record<string, T>>): PatternNode<T> => {
  const root = createNode<T>()
  for (const [pattern, value] of Object.entries(table)) {
    let node = root
    for (const step of pattern.split('.')) {
      const next = node.steps.get(step) ?? createNode<T>()
      node.steps.set(step, next)
      node = next
    }
    node.value = value
  }
  return root
}

export const stepKey = <T>(node: PatternNode<T> | undefined, key: string): PatternNode<T> | undefined =>
  node && (node.steps.get(key) ?? node.steps.get('*'))

export const stepItem = <T>(node: PatternNode<T> | undefined): PatternNode<T> | undefined => node?.steps.get('[]')

/** For a look at a single place. */
export const valueAt = <T>(root: PatternNode<T>, path: TreePath): T | undefined =>
  path.reduce<PatternNode<T> | undefined>(
    (node, step) => (typeof step === 'number' ? stepItem(node) : stepKey(node, step)),
    root,
  )?.value
