/**
 * Before the first operation: every host port is listened on that can be, so that a taken one is reported before anything
 * has changed. Ports of containers that wait for a removal are bound when it is their turn.
 */
import { rmSync } from 'node:fs'
import type { Service } from '../compose/project.ts'
import { listenPorts, type PortRequest, releasePorts } from '../network/ports.ts'
import { behindWaits, type Plan, type PlanNode } from '../plan/plan.ts'
import { runPaths } from '../state/layout.ts'
import { discard } from './launch.ts'
import { letGo, type Reservation, reserve } from './reserve.ts'
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
  if (operation.kind === 'createContainer') {
    const id = run.ids.get(operation.name)
    return id === undefined ? [] : requestOf(id, serviceOf(run, operation.service))
  }
  if (operation.kind !== 'startContainer' || operation.container === undefined) return []
  const record = run.records.get(operation.container)
  return record === undefined ? [] : requestOf(record.id, record.definition)
}

/** Nodes whose ports are only tried: they are taken after some waiting, during which nothing is held. */
const triedOnly = (plan: Plan): ReadonlySet<PlanNode> => {
  const behind = behindWaits(plan)
  return new Set(
    plan.nodes.filter(({ id, operation }) =>
      operation.kind === 'createContainer' ? !operation.build : behind.has(id),
    ),
  )
}

export const listenFirst = async (run: Run): Promise<void> => {
  const tried = triedOnly(run.plan)
  const starting = run.plan.nodes.some(({ operation }) => operation.kind === 'startContainer')
  const nodes = starting ? run.plan.nodes.filter((node) => !waitsForPorts(run.plan, node)) : []
  const requests = nodes.flatMap((node) => portsOf(run, node))
  if (requests.length === 0) return
  const root = run.session.networkRoot()
  for (const { owner } of requests) run.reservations.set(owner, reserve(run.session, owner))
  const bound = await listenPorts(root, requests)
  for (const [owner, ports] of bound) run.ports.set(owner, ports)
  for (const { owner } of nodes.filter((node) => tried.has(node)).flatMap((node) => portsOf(run, node))) {
    const { ports, reservations } = run
    releasePorts(root, owner, ports.get(owner) ?? [])
    ports.delete(owner)
    const reservation = reservations.get(owner)
    if (reservation !== undefined) await giveUp(run, owner, reservation)
    reservations.delete(owner)
  }
}

/** A container that is not there yet leaves nothing; one that exists stays. */
const giveUp = async (run: Run, id: string, reservation: Reservation): Promise<void> => {
  letGo(reservation)
  if (run.records.has(id)) rmSync(runPaths(run.session.roots, id).directory, { recursive: true, force: true })
  else await undoContainer(run.session, id)
}

/** Everything in `map`, which is empty afterwards. */
const drain = <Key, Value>(map: Map<Key, Value>): [Key, Value][] => {
  const entries = [...map]
  map.clear()
  return entries
}

/** Gives back what no operation took: ports and reservations of skipped containers, containers left at the barrier. */
export const giveBack = async (run: Run): Promise<void> => {
  const reservations = drain(run.reservations)
  const built = drain(run.built)
  for (const [owner, ports] of drain(run.ports)) releasePorts(run.session.networkRoot(), owner, ports)
  for (const [id, reservation] of reservations) await giveUp(run, id, reservation)
  await Promise.all(built.map(([, each]) => discard(run.session, each)))
}
