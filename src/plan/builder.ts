import type { Edge, Operation, Plan, PlanNode } from './plan.ts'

/** Edges to several nodes with one meaning. */
export const edges = (nodes: Iterable<number>, onFailure: Edge['onFailure'] = 'abort'): readonly Edge[] =>
  [...nodes].map((node) => ({ node, onFailure }))

/** Collects nodes; an edge can only name an earlier one, so the result is in topological order by construction. */
export class PlanBuilder {
  private readonly nodes: PlanNode[] = []
  private readonly project: string
  constructor(project: string) {
    this.project = project
  }

  add(operation: Operation, resource: string, cause: string, after: readonly Edge[] = []): number {
    const unique = new Map(after.map((edge) => [edge.node, edge]))
    const id = this.nodes.length
    this.nodes.push({ id, operation, resource, cause, after: [...unique.values()].sort((a, b) => a.node - b.node) })
    return id
  }

  build(): Plan {
    return Object.freeze({ version: 1, project: this.project, nodes: Object.freeze(this.nodes) })
  }
}
