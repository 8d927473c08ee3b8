/** Observed: the world of one project as state on disk tells it. Made by state/observe.ts; a plain snapshot. */
import type { Service } from '../compose/project.ts'
import type { SharedNamespace } from './namespaces.ts'

export interface Observed {
  readonly containers: readonly ObservedContainer[]
  readonly networks: readonly ObservedNetwork[]
  readonly volumes: readonly ObservedVolume[]
  /** Containers of other projects, where the project names one (`network_mode: container:X`). */
  readonly elsewhere: readonly ObservedContainer[]
}

/**
 * paused: frozen; restarting: its process has ended and its monitor starts it again after a pause.
 * created: built, waits at the barrier, or never started; running; exited: its process ended and its monitor is gone;
 * lost: its monitor died without finishing (kill -9, reboot): its undo list has to run before anything else.
 */
export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'lost'

export interface ObservedContainer {
  readonly id: string
  readonly name: string
  readonly service: string
  /** Replica number, from 1. */
  readonly number: number
  readonly oneOff: boolean
  readonly configHash: string
  /** Identity of the image it was made from. */
  readonly imageId: string
  /** Target to the identity of the image that is mounted there. */
  readonly imageMounts: Readonly<Record<string, string>>
  readonly state: ContainerState
  readonly exitCode: number | undefined
  /** A command asked for its end. */
  readonly stopped: boolean
  /** Milliseconds since the epoch; 0: never. */
  readonly createdAt: number
  readonly startedAt: number
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** Names of the networks it is attached to (`<project>_<key>`). */
  readonly networks: readonly string[]
  /** Names of its named and anonymous volumes. */
  readonly volumes: readonly string[]
  /** Services it depended on when it was made: the order to stop in where no Compose file is read. */
  readonly dependsOn: readonly string[]
  /** Which run of it goes on; undefined: none. Another one has other namespaces. */
  readonly run: string | undefined
  /** Namespaces that its run shares: of which container, by id, and of which run of that. */
  readonly joins: readonly {
    readonly namespace: SharedNamespace
    readonly container: string
    readonly run: string
  }[]
  /** What it was made from. */
  readonly definition: Service
}

/** Has processes, or will have them again by itself. */
export const isUp = ({ state }: Pick<ObservedContainer, 'state'>): boolean =>
  state === 'running' || state === 'paused' || state === 'restarting'

export interface ObservedNetwork {
  readonly id: string
  readonly name: string
  /** Key in the Compose file. */
  readonly key: string
  readonly configHash: string
  /** The bridge exists in the NetworkRoot. */
  readonly present: boolean
  /** Project that made it; undefined: made outside any project. */
  readonly project: string | undefined
}

export interface ObservedVolume {
  readonly name: string
  readonly key: string
  readonly project: string | undefined
  readonly anonymous: boolean
  readonly labels: Readonly<Record<string, string>>
  /** Its content is there; a command that died between record and content left the record alone. */
  readonly present: boolean
}
