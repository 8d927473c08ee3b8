/** Run: one plan being carried out, with what its operations hand to one another. */
import type { Project, Service } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import type { BoundPort } from '../network/ports.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { ContainerRecord, NetworkRecord } from '../state/records.ts'
import type { CountedOn } from './counted-on.ts'
import type { Subject } from './events.ts'
import type { Attach, Built } from './launch.ts'
import type { Reservation } from './reserve.ts'
import type { Session } from './session.ts'

export interface Run {
  readonly session: Session
  /** Its name. */
  readonly project: string
  /** Read from files; undefined: nothing in the plan needs it. */
  readonly model: Project | undefined
  readonly plan: Plan
  /** Operations that wait end with EABORTED when it fires. */
  readonly signal: AbortSignal | undefined
  /** Records of the project's containers when the plan was made, by id. */
  readonly records: ReadonlyMap<string, ContainerRecord>
  /** Networks by name; creations are added. */
  readonly networks: Map<string, NetworkRecord>
  /** Ids of containers to be created, by name. */
  readonly ids: ReadonlyMap<string, string>
  /** By container id, until the container is launched. */
  readonly reservations: Map<string, Reservation>
  /** Host ports that are listened on before the first operation, by container id. */
  readonly ports: Map<string, readonly BoundPort[]>
  /** Containers at the barrier, by name. */
  readonly built: Map<string, Built>
  /** When all waiting ends: milliseconds of the monotonic clock; undefined: never. */
  readonly deadline: number | undefined
  readonly countedOn: CountedOn
  /** Called for each container that is about to pass the barrier; true: its connection stays open. */
  readonly attach: Attach | undefined
}

export const serviceOf = (run: Run, name: string): Service => {
  const service = run.model?.services[name]
  if (service === undefined) throw new CaissonError('ENOSERVICE', `no such service: ${name}`)
  return service
}

/** What a node touches, in the user's words. */
export const subjectOf =
  (model: Project | undefined) =>
  ({ operation }: PlanNode): Subject => {
    switch (operation.kind) {
      case 'createNetwork':
      case 'restoreNetwork':
        return { noun: 'network', name: model?.networks[operation.key]?.name ?? operation.key }
      case 'removeNetwork':
        return { noun: 'network', name: operation.name }
      case 'createVolume':
        return { noun: 'volume', name: model?.volumes[operation.key]?.name ?? operation.key }
      case 'removeVolume':
        return { noun: 'volume', name: operation.name }
      case 'recoverContainer':
      case 'createContainer':
      case 'startContainer':
      case 'waitContainer':
      case 'stopContainer':
      case 'pauseContainer':
      case 'unpauseContainer':
      case 'signalContainer':
      case 'removeContainer':
        return { noun: 'container', name: operation.name }
    }
  }
