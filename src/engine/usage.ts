/** Usage of the containers of a project at one moment. Files only: 100 containers take a few milliseconds. */
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { CgroupFacts } from '../native/host-facts.ts'
import { readCgroup } from './cgroup-usage.ts'
import { readHostFacts } from './host-facts.ts'
import { groupPath } from '../spec/cgroup-path.ts'
import { readContainers } from '../state/snapshot.ts'
import { isAlive, ps } from './ps.ts'
import type { ContainerRow, EngineOptions, UsageSample } from './types.ts'
import { CGROUP_PARENT } from './undo.ts'

/** Group of each container of a project. */
export const cgroupsOf = (engine: EngineOptions, project: string): ((row: ContainerRow) => string) => {
  const { containers } = readContainers(engine, project, isAlive)
  const groups = containers.map(
    ({ record }) => [record.id, groupPath(CGROUP_PARENT, record, record.definition)] as const,
  )
  const byId = new Map(groups)
  return ({ id }) => byId.get(id) ?? `${CGROUP_PARENT}/${project}/${id}`
}

/** Bytes in and out of all interfaces but the loopback: /proc/<pid>/net/dev of a process in the namespace. */
export const parseNetworkDevices = (text: string): { readonly receivedBytes: number; readonly sentBytes: number } => {
  let receivedBytes = 0
  let sentBytes = 0
  for (const line of text.split('\n')) {
    const [, name, fields] = /^\s*([^:\s]+):(.*)$/.exec(line) ?? []
    if (fields === undefined || name === 'lo') continue
    const numbers = fields.trim().split(/\s+/).map(Number)
    receivedBytes += numbers[0] ?? 0
    sentBytes += numbers[8] ?? 0
  }
  return { receivedBytes, sentBytes }
}

const NO_TRAFFIC = { receivedBytes: 0, sentBytes: 0 }

/** The host's own traffic is nobody's. */
const trafficOf = ({ pid, hostNetwork }: ContainerRow) => {
  if (pid === 0 || hostNetwork) return NO_TRAFFIC
  try {
    return parseNetworkDevices(readFileSync(`/proc/${pid}/net/dev`, 'utf8'))
  } catch {
    return NO_TRAFFIC // it has just ended
  }
}

const sampleOf = (facts: CgroupFacts, memory: number, row: ContainerRow, group: string): UsageSample => {
  const usage = readCgroup(facts, group)
  const [seconds, nanoseconds] = process.hrtime()
  return {
    row,
    atNs: seconds * 1e9 + nanoseconds,
    ...usage,
    memoryLimitBytes: Math.min(usage.memoryLimitBytes, memory),
    ...trafficOf(row),
  }
}

/** How to read it again and again: the facts of the host are looked up once. */
export const usageReader = (engine: EngineOptions, project: string) => {
  const { cgroup } = readHostFacts(engine)
  const memory = totalmem()
  return async (): Promise<readonly UsageSample[]> => {
    const rows = await ps(engine, project)
    const cgroupOf = cgroupsOf(engine, project)
    return rows.map((row) => sampleOf(cgroup, memory, row, cgroupOf(row)))
  }
}
