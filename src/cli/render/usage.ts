/** What `stats` shows: rates and shares of two samples, in the fields and units of docker. Pure. */
import type { UsageSample } from '../../index.ts'
import { binarySize, humanSize } from './human.ts'

export interface UsageView {
  readonly BlockIO: string
  readonly CPUPerc: string
  readonly Container: string
  readonly ID: string
  readonly MemPerc: string
  readonly MemUsage: string
  readonly Name: string
  readonly NetIO: string
  readonly PIDs: string
}

export const USAGE_COLUMNS: Readonly<Record<string, string>> = {
  ID: 'CONTAINER ID',
  Name: 'NAME',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
}

export const USAGE_HEADERS: Readonly<Record<string, string>> = { Container: 'CONTAINER' }

const percent = (share: number): string => `${(Number.isFinite(share) ? share * 100 : 0).toFixed(2)}%`

/** Of one processor: two busy ones are 200 %. A group that was made anew counts from nothing. */
const processorShare = (now: UsageSample, before: UsageSample | undefined): number => {
  if (before === undefined || now.atNs <= before.atNs) return 0
  return Math.max(0, now.cpuNs - before.cpuNs) / (now.atNs - before.atNs)
}

const isOn = ({ row }: UsageSample): boolean => row.state === 'running' || row.state === 'paused'

/** Docker's zeroes for what does not run. */
const limitOf = (sample: UsageSample): number => (isOn(sample) ? sample.memoryLimitBytes : 0)

export const usageView = (now: UsageSample, before: UsageSample | undefined): UsageView => ({
  BlockIO: `${humanSize(now.readBytes)} / ${humanSize(now.writtenBytes)}`,
  CPUPerc: percent(processorShare(now, before)),
  Container: now.row.id,
  ID: now.row.id,
  MemPerc: percent(now.memoryBytes / limitOf(now)),
  MemUsage: `${binarySize(now.memoryBytes)} / ${binarySize(limitOf(now))}`,
  Name: now.row.name,
  NetIO: `${humanSize(now.receivedBytes)} / ${humanSize(now.sentBytes)}`,
  PIDs: String(now.processes),
})

export interface UsageSelection {
  /** What does not run, too. */
  readonly all: boolean
  /** Empty: all. */
  readonly services: readonly string[]
}

export const selectUsage = (
  samples: readonly UsageSample[],
  { all, services }: UsageSelection,
): readonly UsageSample[] =>
  samples
    .filter((sample) => all || isOn(sample))
    .filter(({ row }) => services.length === 0 || services.includes(row.service))

export const usageViews = (now: readonly UsageSample[], before: readonly UsageSample[]): readonly UsageView[] => {
  const known = new Map(before.map((sample) => [sample.row.id, sample]))
  return now.map((sample) => usageView(sample, known.get(sample.row.id)))
}

/**
 * A frame drawn over the one before, without the alternate screen: what was last seen stays when the command ends. Lines
 * that the terminal has no room for are counted.
 */
export const frame = (text: string, rows: number, isFirst: boolean): string => {
  const lines = text.split('\n').slice(0, -1)
  const room = Math.max(2, rows - 1)
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more`]
  return `${isFirst ? '\x1b[2J' : ''}\x1b[H${shown.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`
}
