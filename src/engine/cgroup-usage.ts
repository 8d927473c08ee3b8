/**
 * What a container uses, as its control groups count it. v1, hybrid and v2 are read alike: each controller where this
 * host has it. A missing file counts as nothing.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { CgroupFacts } from '../native/host-facts.ts'

export interface CgroupUsage {
  /** Processor time since the group was made. */
  readonly cpuNs: number
  /** Without the page cache that the kernel would give back first, as docker counts. */
  readonly memoryBytes: number
  /** Infinity: none. */
  readonly memoryLimitBytes: number
  readonly readBytes: number
  readonly writtenBytes: number
  readonly processes: number
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const number = (text: string): number => (text.trim() === '' ? 0 : Number(text))

/** Value of `KEY VALUE` lines. */
const keyed = (text: string, key: string): number => {
  const line = text.split('\n').find((each) => each.startsWith(`${key} `))
  return line === undefined ? 0 : Number(line.slice(key.length + 1))
}

const cpuOf = ({ v1, v2 }: CgroupFacts, group: string): number =>
  v1.cpuacct === undefined
    ? keyed(read(`${v2}/${group}/cpu.stat`), 'usage_usec') * 1000
    : number(read(`${v1.cpuacct}/${group}/cpuacct.usage`))

/** v1 says "none" as the largest multiple of a page that fits into 63 bits. */
const NO_LIMIT = 2 ** 60

const limit = (text: string): number => {
  const value = text.trim() === 'max' || text.trim() === '' ? Number.POSITIVE_INFINITY : Number(text)
  return value >= NO_LIMIT ? Number.POSITIVE_INFINITY : value
}

const memoryOf = ({ v1, v2 }: CgroupFacts, group: string): Pick<CgroupUsage, 'memoryBytes' | 'memoryLimitBytes'> => {
  const directory = `${v1.memory ?? v2}/${group}`
  const [usage, most, cache] =
    v1.memory === undefined
      ? (['memory.current', 'memory.max', 'inactive_file'] as const)
      : (['memory.usage_in_bytes', 'memory.limit_in_bytes', 'total_inactive_file'] as const)
  const used = number(read(`${directory}/${usage}`))
  const inactive = keyed(read(`${directory}/memory.stat`), cache)
  return { memoryBytes: Math.max(0, used - inactive), memoryLimitBytes: limit(read(`${directory}/${most}`)) }
}

const sum = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((total, [, bytes]) => total + Number(bytes), 0)

const blocksOf = ({ v1, v2 }: CgroupFacts, group: string): Pick<CgroupUsage, 'readBytes' | 'writtenBytes'> => {
  if (v1.blkio === undefined) {
    const text = read(`${v2}/${group}/io.stat`)
    return { readBytes: sum(text, /\brbytes=(\d+)/g), writtenBytes: sum(text, /\bwbytes=(\d+)/g) }
  }
  const directory = `${v1.blkio}/${group}`
  const text = read(`${directory}/blkio.throttle.io_service_bytes_recursive`)
  return { readBytes: sum(text, /\bRead (\d+)/g), writtenBytes: sum(text, /\bWrite (\d+)/g) }
}

const directoriesIn = (path: string): string[] => {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

/** Deeper than any engine nests; a bound, so that a container that makes groups of its own cannot keep us. */
const DEPTH = 8

const pidsBelow = (directory: string, depth: number): number[] => [
  ...read(`${directory}/cgroup.procs`).split('\n').filter(Boolean).map(Number),
  ...(depth === 0 ? [] : directoriesIn(directory).flatMap((name) => pidsBelow(`${directory}/${name}`, depth - 1))),
]

/** Pids in the group and below it, as this process's pid namespace has them. */
export const readPids = ({ v1, v2 }: CgroupFacts, group: string): readonly number[] => {
  const mount = v1.pids ?? v1.freezer ?? v1.memory ?? v2
  if (mount === undefined) return []
  return [...new Set(pidsBelow(`${mount}/${group}`, DEPTH))].filter((pid) => pid > 0).sort((a, b) => a - b)
}

const processesOf = (facts: CgroupFacts, group: string): number => {
  const text = read(`${facts.v1.pids ?? facts.v2}/${group}/pids.current`)
  return text === '' ? readPids(facts, group).length : Number(text)
}

/** `group`: path below each mount point. */
export const readCgroup = (facts: CgroupFacts, group: string): CgroupUsage => ({
  cpuNs: cpuOf(facts, group),
  ...memoryOf(facts, group),
  ...blocksOf(facts, group),
  processes: processesOf(facts, group),
})
