/** `depends_on … restart: true`: who stops before its dependency is replaced, and starts after it. */
import type { Service } from '../compose/project.ts'
import type { Replica, ServiceFate } from './fate.ts'
import { isUp } from './observed.ts'

export const isStoppedWith = (service: Service, dependency: string): boolean =>
  service.dependsOn[dependency]?.restart === true

const isReplaced = ({ replicas }: ServiceFate): boolean =>
  replicas.some(({ fate: { kind } }) => kind === 'recreate' || kind === 'restart')

/** `fates` in dependency order: who restarts takes its own dependents along. */
export const withRestarts = (fates: readonly ServiceFate[]): readonly ServiceFate[] => {
  const decided: ServiceFate[] = []
  for (const fate of fates) {
    const replaced = decided.find((other) => isStoppedWith(fate.service, other.service.name) && isReplaced(other))
    if (replaced === undefined) {
      decided.push(fate)
      continue
    }
    const cause = `dependency ${replaced.service.name} is recreated`
    const restarted = (replica: Replica): Replica =>
      replica.fate.kind === 'keep' && isUp(replica.container)
        ? { ...replica, fate: { kind: 'restart', cause } }
        : replica
    decided.push({ ...fate, replicas: fate.replicas.map(restarted) })
  }
  return decided
}
