/** Making: one plan for `up` while its phases add to it. */
import type { Project } from '../compose/project.ts'
import type { Diagnostic } from '../errors.ts'
import type { PlanBuilder } from './builder.ts'
import type { Waits } from './conditions.ts'
import type { ServiceFate } from './fate.ts'
import type { OneOff } from './one-off.ts'
import type { Observed, ObservedContainer } from './observed.ts'

export interface UpPlanOptions {
  /** Services named on the command line; empty: all. Their dependencies come along unless `noDeps`. */
  readonly services: readonly string[]
  readonly noDeps: boolean
  readonly forceRecreate: boolean
  readonly noRecreate: boolean
  readonly alwaysRecreateDeps: boolean
  readonly renewAnonymousVolumes: boolean
  readonly removeOrphans: boolean
  /** Create only. */
  readonly noStart: boolean
  /** Wanted number of containers, by service, instead of the file's. */
  readonly scale: Readonly<Record<string, number>>
  /** Grace of every stop; undefined: the container's own. */
  readonly timeoutMs: number | undefined
  /** Identity of the image of each service, by service. */
  readonly images: Readonly<Record<string, string>>
  /** Of each service that mounts images: target to identity. */
  readonly imageMounts: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Services whose image brings a health check. */
  readonly imageHealthchecks: ReadonlySet<string>
  /** `--wait`: until every service runs, is healthy where that is checked, or has done its work. */
  readonly wait: boolean
  /** One-shots to run again. */
  readonly rerun: 'all' | readonly string[]
  /** Somebody is going to look at the output. */
  readonly attached: boolean
  /** The project's service of this name is a one-off: its replicas are left as they are. */
  readonly oneOff?: OneOff
}

/** One plan in the making: nodes of finished phases, by what they provide. */
export interface Making {
  readonly project: Project
  readonly observed: Observed
  readonly options: UpPlanOptions
  readonly builder: PlanBuilder
  readonly fates: readonly ServiceFate[]
  /** Running containers of services that are not selected, which share a namespace that begins anew: they go along. */
  readonly followers: readonly ObservedContainer[]
  readonly recreatedNetworks: ReadonlySet<string>
  readonly waits: Waits
  readonly warnings: Diagnostic[]
  /** Container id to the node that recovers it. */
  readonly recovered: Map<string, number>
  /** Container id to its stop. */
  readonly stopped: Map<string, number>
  /** Container id to its removal. */
  readonly removed: Map<string, number>
  /** Network key to the node that makes it usable. */
  readonly networks: Map<string, number>
  readonly volumes: Map<string, number>
  /** Container name to its creation. */
  readonly created: Map<string, number>
  /** Service to the creations of its replicas. */
  readonly createdFor: Map<string, number[]>
  /** Service to the starts of its replicas. */
  readonly started: Map<string, number[]>
  /** `<service> <condition>` to the waiting for its replicas. */
  readonly waiting: Map<string, number[]>
}

/** Of a container to be made. */
export const freshResource = ({ options }: Making, name: string, number: number) =>
  options.oneOff?.service === name ? `service:${name}:run` : `service:${name}:${number}`

export const resourceOf = ({ service, number, oneOff }: ObservedContainer) =>
  oneOff ? `service:${service}:run` : `service:${service}:${number}`
