/**
 * Which hooks a start or a stop runs. Those of the file where it is read and has the service: who mends a hook in the file
 * must not be held up by the old one. Otherwise those that the container was made with.
 */
import type { Hook, Project, Service } from '../compose/project.ts'
import type { ObservedContainer } from './observed.ts'

interface WithHooks {
  readonly hooks?: readonly Hook[]
}

type Known = Pick<ObservedContainer, 'service' | 'oneOff' | 'definition'>

/** Records of earlier versions have none. */
const withHooks = (hooks: readonly Hook[] | undefined): WithHooks =>
  hooks === undefined || hooks.length === 0 ? {} : { hooks }

const definitionOf = (project: Project | undefined, { service, oneOff, definition }: Known): Service =>
  (oneOff ? undefined : (project?.services[service] ?? project?.disabledServices[service])) ?? definition

export const postStart = (service: Service): WithHooks => withHooks(service.postStart)

export const postStartOf = (project: Project | undefined, container: Known): WithHooks =>
  postStart(definitionOf(project, container))

export const preStopOf = (project: Project | undefined, container: Known): WithHooks =>
  withHooks(definitionOf(project, container).preStop)
