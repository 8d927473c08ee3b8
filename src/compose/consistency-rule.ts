/** What a rule about one service sees, and how it complains. */
import type { TreePath } from '../errors.ts'
import type { Code } from './codes.ts'
import type { MapNode, Node, SequenceNode } from './node.ts'
import type { Origin } from './project.ts'
import type { Report } from './report.ts'
import { fromVariables, shown } from './words.ts'

export interface Consistency {
  /** With the services that are on. */
  readonly tree: MapNode
  readonly disabled: MapNode
  readonly report: Report
}

export interface ServiceContext extends Consistency {
  readonly name: string
  /** Where the name stands. */
  readonly key: Origin | undefined
  readonly service: MapNode
}

export type Rule = (context: ServiceContext) => void

export interface Complaint {
  readonly code: Code
  /** Below the service. */
  readonly path: TreePath
  readonly message: string
  readonly node: Pick<Node, 'origin'>
  readonly hint?: string | undefined
  /** Of the value, what is wrong. */
  readonly part?: string | undefined
  /** The other half of what does not go together. */
  readonly other?: Pick<Node, 'origin'> | undefined
}

export const complain = ({ report, name }: ServiceContext, complaint: Complaint): void => {
  const { code, path, message, node, hint, part, other } = complaint
  const related = other && other.origin.start !== node.origin.start
  report.add({
    ...{ code, hint, part },
    path: ['services', name, ...path],
    message: `services.${name} ${message}`,
    origin: node.origin,
    related: related ? { message: 'the other one is at', origin: other.origin } : undefined,
  })
}

/** A value as it is written, where that says more than what became of it: `64m` for 67108864. */
export const writtenValue = ({ report }: Consistency, node: Node): string => {
  const written = report.written(node.origin) ?? ''
  return written === '' || /[\n$]/.test(written) ? shown(node) : written
}

/** `"a" (from $B)`. */
export const named = (text: string, node: Node | undefined): string => `"${text}"${fromVariables(node)}`

export const keysOf = (node: Node | undefined): readonly string[] =>
  node?.kind === 'map' ? [...node.entries.keys()] : []
export const itemsOf = (node: Node | undefined): SequenceNode['items'] => (node?.kind === 'sequence' ? node.items : [])
export const numberOf = (node: Node | undefined): number | undefined =>
  node?.kind === 'scalar' && (typeof node.value === 'number' || typeof node.value === 'bigint')
    ? Number(node.value)
    : undefined

/** A part of it was reported. */
export const isReported = (node: Node): boolean =>
  node.kind === 'poisoned' ||
  (node.kind === 'map' && [...node.entries.values()].some(({ value }) => value.kind === 'poisoned'))
