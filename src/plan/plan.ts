/** Plan: what to change in a project. A DAG of operations, stored in topological order, printable and comparable as text. */
export interface Plan {
  readonly version: 1
  readonly project: string
  readonly nodes: readonly PlanNode[]
}

export interface PlanNode {
  /** Position in `Plan.nodes`, from 0. */
  readonly id: number
  readonly operation: Operation
  /** `service:web:1`, `network:default`, `volume:data`: what it touches. */
  readonly resource: string
  /** Why, in words: "not there yet", "config hash diverged", "orphan". */
  readonly cause: string
  readonly after: readonly Edge[]
}

export interface Edge {
  /** Id of an earlier node. */
  readonly node: number
  /** What follows from its failure: abort this node, skip it silently, or go on with a warning. */
  readonly onFailure: 'abort' | 'skip' | 'warn'
}

/** One member for each thing that the executor can do, with exactly its fields. */
export type Operation =
  | { readonly kind: 'recoverContainer'; readonly container: string; readonly name: string }
  | { readonly kind: 'createNetwork'; readonly key: string }
  | { readonly kind: 'restoreNetwork'; readonly key: string; readonly network: string }
  | { readonly kind: 'removeNetwork'; readonly network: string; readonly name: string }
  | { readonly kind: 'createVolume'; readonly key: string }
  | { readonly kind: 'removeVolume'; readonly name: string }
  /**
   * Records it, and builds it up to the barrier where `build` says so (a start follows in this plan). `replaces`:
   * container whose anonymous volumes it takes over.
   */
  | {
      readonly kind: 'createContainer'
      readonly service: string
      readonly number: number
      readonly name: string
      readonly replaces: string | undefined
      readonly build: boolean
    }
  /** Passes the barrier of a container created in this plan (`container` undefined), or starts one that exists. */
  | {
      readonly kind: 'startContainer'
      readonly service: string
      readonly number: number
      readonly name: string
      readonly container: string | undefined
    }
  | {
      readonly kind: 'stopContainer'
      readonly container: string
      readonly name: string
      readonly timeoutMs: number | undefined
    }
  | { readonly kind: 'pauseContainer' | 'unpauseContainer'; readonly container: string; readonly name: string }
  | { readonly kind: 'signalContainer'; readonly container: string; readonly name: string; readonly signal: string }
  | {
      readonly kind: 'removeContainer'
      readonly container: string
      readonly name: string
      readonly anonymousVolumes: boolean
    }

const formatEdge = (edge: Edge): string =>
  edge.onFailure === 'abort' ? `${edge.node}` : `${edge.node}/${edge.onFailure}`

const formatDetail = (operation: Operation): string => {
  switch (operation.kind) {
    case 'createNetwork':
    case 'createVolume':
      return operation.key
    case 'restoreNetwork':
      return operation.key
    case 'recoverContainer':
    case 'removeNetwork':
    case 'removeVolume':
    case 'createContainer':
    case 'startContainer':
    case 'stopContainer':
    case 'pauseContainer':
    case 'unpauseContainer':
    case 'removeContainer':
      return operation.name
    case 'signalContainer':
      return `${operation.name} ${operation.signal}`
  }
}

/** One line per node: `[edges] -> #id resource: operation detail (cause)`. */
export const formatPlan = (plan: Plan): string =>
  plan.nodes
    .map(
      ({ id, after, resource, operation, cause }) =>
        `[${after.map(formatEdge).join(', ')}] -> #${id} ${resource}: ${operation.kind} ${formatDetail(operation)} (${cause})\n`,
    )
    .join('')
