/** An error of the JSON Schema and the value that it is about. */
import type { ValidationError } from '../../build/compose-validator.cjs'
import type { TreePath } from '../errors.ts'
import type { Node } from './node.ts'
import { at } from './node.ts'

export interface Mistake {
  readonly error: ValidationError
  readonly path: TreePath
  readonly node: Node | undefined
}

const unescapePointer = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~')

export const parsePointer = (pointer: string, tree: Node): TreePath => {
  let node: Node | undefined = tree
  return pointer
    .split('/')
    .slice(1)
    .map((raw) => {
      const step = unescapePointer(raw)
      const path = node?.kind === 'sequence' ? Number(step) : step
      node = at(node, [path])
      return path
    })
}

export const unknownOf = ({ keyword, params }: ValidationError): string | undefined =>
  keyword === 'additionalProperties' ? String(params.additionalProperty) : undefined
