/**
 * Before the first operation: every host port is listened on that can be, so that a taken one is reported before anything
 * has changed. Ports of containers that wait for a removal are bound when it is their turn.
 */
import { rmSync } from 'node:fs'
import type { Service } from '../compose/project.ts'
import { listenPorts, type PortRequest, releasePorts } from '../network/ports.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import { runPaths } from '../state/layout.ts'
import { discard } from './launch.ts'
import { letGo, reserve } from './reserve.ts'
import { type Run, serviceOf } from './run.ts'
import { undoContainer } from './undo.ts'

const FREES_PORTS: ReadonlySet<string> = new Set(['stopContainer', 'removeContainer', 'recoverContainer'])

const waitsForPorts = (plan: Plan, node: PlanNode) =>
  node.after.some((edge) => FREES_PORTS.has(plan.nodes[edge.node]?.operation.kind ?? ''))

const requestOf = (owner: string, service: Service): readonly PortRequest[] =>
  service.networkMode === undefined && service.ports.length > 0
    ? [{ owner, service: service.name, ports: service.ports }]
    : []

const portsOf = (run: Run, { operation }: PlanNode): readonly PortRequest[] => {
  if (operation.kind === 'createContainer' && operation.build) {
    const id = run.ids.get(operation.name)
    return id === undefined ? [] : requestOf(id, serviceOf(run, operation.service))
  }
  if (operation.kind !== 'startContainer' || operation.container === undefined) return []
  const record = run.records.get(operation.container)
  return record === undefined ? [] : requestOf(record.id, record.definition)
}

export const listenFirst = async (run: Run): Promise<void> => {
  const requests = run.plan.nodes.filter((node) => !waitsForPorts(run.plan, node)).flatMap((node) => portsOf(run, node))
  if (requests.length === 0) return
  for (const { owner } of requests) run.reservations.set(owner, reserve(run.session, owner))
  const bound = await listenPorts(run.session.networkRoot(), requests)
  for (const [owner, ports] of bound) run.ports.set(owner, ports)
}

/** Gives back what no operation took: ports and reservations of skipped containers, containers left at the barrier. */
export const giveBack = async (run: Run): Promise<void> => {
  for (const [owner, ports] of run.ports) releasePorts(run.session.networkRoot(), owner, ports)
  for (const [id, reservation] of run.reservations) {
    letGo(reservation)
    if (run.records.has(id)) rmSync(runPaths(run.session.roots, id).directory, { recursive: true, force: true })
    else await undoContainer(run.session, id)
  }
  await Promise.all([...run.built.values()].map((built) => discard(run.session, built)))
}
