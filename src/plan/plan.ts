import type { Hook } from '../compose/project.ts'

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

/**
 * healthy: its check passes; completed: its process ended with 0; running: it runs, healthy where
 * that is checked, or has ended well for good.
 */
export type WaitCondition = 'healthy' | 'completed' | 'running'

/** One member for each thing that the executor can do, with exactly its fields. */
export type Operation =
  | { readonly kind: 'recoverContainer'; readonly container: string; readonly name: string }
  | { readonly kind: 'createNetwork'; readonly key: string }
  | { readonly kind: 'restoreNetwork'; readonly key: string; readonly network: string }
  | { readonly kind: 'removeNetwork'; readonly network: string; readonly name: string }
  /** `shared`: it belongs to no project, so that none takes it down. */
  | { readonly kind: 'createVolume'; readonly key: string; readonly shared?: true }
  | { readonly kind: 'removeVolume'; readonly name: string }
  /**
   * Records it, and builds it up to the barrier where `build` says so: a start follows in this plan, and no waiting comes
   * between. `replaces`: container that it stands in for, and whose anonymous volumes it takes over unless `renewVolumes`.
   */
  | {
      readonly kind: 'createContainer'
      readonly service: string
      readonly number: number
      readonly name: string
      readonly replaces: string | undefined
      readonly renewVolumes: boolean
      readonly build: boolean
      /** A container of `run`; undefined: a replica. */
      readonly oneOff?: { readonly autoRemove: boolean }
    }
  /**
   * Passes the barrier of a container created in this plan (`container` undefined), or starts one that exists. Then runs
   * `hooks` in it; it is started when they have ended.
   */
  | {
      readonly kind: 'startContainer'
      readonly service: string
      readonly number: number
      readonly name: string
      readonly container: string | undefined
      readonly hooks?: readonly Hook[]
    }
  /**
   * Waits until a container is what others need it to be; `container` undefined: the one created in this plan. Changes
   * nothing, so the project is free for other commands meanwhile. `optional`: nobody insists on it, so its failure warns.
   */
  | {
      readonly kind: 'waitContainer'
      readonly service: string
      readonly number: number
      readonly name: string
      readonly container: string | undefined
      readonly condition: WaitCondition
      readonly optional: boolean
    }
  /** Runs `hooks` in it first, if its process runs; it goes on where one of them fails. */
  | {
      readonly kind: 'stopContainer'
      readonly container: string
      readonly name: string
      readonly timeoutMs: number | undefined
      readonly hooks?: readonly Hook[]
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

const formatHooks = ({ hooks = [] }: { readonly hooks?: readonly Hook[] }, words: string): string =>
  hooks.length === 0 ? '' : ` ${words} (${hooks.length})`

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
    case 'pauseContainer':
    case 'unpauseContainer':
    case 'removeContainer':
      return operation.name
    case 'startContainer':
      return `${operation.name}${formatHooks(operation, 'then post_start')}`
    case 'stopContainer':
      return `${operation.name}${formatHooks(operation, 'after pre_stop')}`
    case 'waitContainer':
      return `${operation.name} ${operation.condition}${operation.optional ? ' optional' : ''}`
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

/** Nodes that some waiting comes before: what they need must not be taken until then. */
export const behindWaits = ({ nodes }: Plan): ReadonlySet<number> => {
  const behind = new Set<number>()
  for (const { id, after } of nodes) {
    const isBehind = ({ node }: Edge) => behind.has(node) || nodes[node]?.operation.kind === 'waitContainer'
    if (after.some(isBehind)) behind.add(id)
  }
  return behind
}
