/** Processes of a container in the columns of `ps -ef`, from /proc: no program is needed for it, on the host or inside. */
import { readFileSync } from 'node:fs'
import { readPids } from './cgroup-usage.ts'
import { readHostFacts } from './host-facts.ts'
import { ps } from './ps.ts'
import type { ContainerProcesses, EngineOptions, ProcessRow } from './types.ts'
import { cgroupsOf } from './usage.ts'

/** sysconf(_SC_CLK_TCK): the kernel's interface has always said 100 on Linux. */
const TICKS_PER_SECOND = 100
const PTS_MAJOR_FIRST = 136
const PTS_MAJOR_LAST = 143
const CONSOLE_MAJOR = 4

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Field 7 of proc_pid_stat(5): bits 31-20 and 7-0 the minor, 15-8 the major number. */
const terminalName = (device: number): string => {
  const major = (device >> 8) & 0xff
  const minor = ((device >>> 12) & 0xfff00) | (device & 0xff)
  if (major >= PTS_MAJOR_FIRST && major <= PTS_MAJOR_LAST) return `pts/${(major - PTS_MAJOR_FIRST) * 256 + minor}`
  return major === CONSOLE_MAJOR ? `tty${minor}` : '?'
}

export interface ProcessTexts {
  readonly stat: string
  readonly status: string
  readonly cmdline: string
}

/** Pure over the three files. `bootedAt`: ms since the epoch. undefined: not a process. */
export const parseProcess = (
  { stat, status, cmdline }: ProcessTexts,
  { bootedAt, now }: { readonly bootedAt: number; readonly now: number },
): (Omit<ProcessRow, 'user'> & { readonly uid: number }) | undefined => {
  const open = stat.indexOf('(')
  const close = stat.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const name = stat.slice(open + 1, close)
  const fields = stat
    .slice(close + 2)
    .split(' ')
    .map(Number)
  const ticks = (fields[11] ?? 0) + (fields[12] ?? 0)
  const startedAt = bootedAt + ((fields[19] ?? 0) / TICKS_PER_SECOND) * 1000
  const cpuMs = (ticks / TICKS_PER_SECOND) * 1000
  const words = cmdline.split('\0').filter((word, index, all) => index < all.length - 1 || word !== '')
  return {
    uid: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    pid: Number(stat.slice(0, open)),
    parent: fields[1] ?? 0,
    cpuPercent: Math.floor((cpuMs / Math.max(1, now - startedAt)) * 100),
    startedAt,
    terminal: terminalName(fields[4] ?? 0),
    cpuMs,
    command: words.length === 0 ? `[${name}]` : words.join(' '),
  }
}

/** uid to name, of this machine: pids are its own, and so are the users as it sees them. */
const userNames = (): ReadonlyMap<number, string> =>
  new Map(
    (read('/etc/passwd') ?? '').split('\n').flatMap((line) => {
      const [name, , uid] = line.split(':')
      return name && uid ? [[Number(uid), name] as const] : []
    }),
  )

const processOf = (pid: number, times: { bootedAt: number; now: number }, names: ReadonlyMap<number, string>) => {
  const [stat, status, cmdline] = [read(`/proc/${pid}/stat`), read(`/proc/${pid}/status`), read(`/proc/${pid}/cmdline`)]
  if (stat === undefined || status === undefined || cmdline === undefined) return []
  const found = parseProcess({ stat, status, cmdline }, times)
  if (found === undefined) return []
  const { uid, ...rest } = found
  return [{ user: names.get(uid) ?? String(uid), ...rest }]
}

/** Of what runs, in the order of `ps`. Empty `services`: all. */
export const top = async (
  engine: EngineOptions,
  project: string,
  services: readonly string[],
): Promise<readonly ContainerProcesses[]> => {
  const rows = (await ps(engine, project)).filter(
    ({ state, service }) =>
      (state === 'running' || state === 'paused') && (services.length === 0 || services.includes(service)),
  )
  const { cgroup } = readHostFacts(engine)
  const bootedAt = Number(/^btime (\d+)/m.exec(read('/proc/stat') ?? '')?.[1] ?? 0) * 1000
  const times = { bootedAt, now: Date.now() }
  const names = userNames()
  const cgroupOf = cgroupsOf(engine, project)
  return rows.map((row) => ({
    row,
    processes: readPids(cgroup, cgroupOf(row)).flatMap((pid) => processOf(pid, times, names)),
  }))
}
