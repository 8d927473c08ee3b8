/** Processes in the columns of `docker compose top`, which are those of `ps -ef`. */
import type { ContainerProcesses, ProcessRow } from '../../index.ts'
import { formatTable, NARROW } from './table.ts'

const HEADERS = ['SERVICE', '#', 'UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const two = (value: number): string => String(value).padStart(2, '0')

/** `18:03` today, `Nov25` before, the year before this one. Local time, as ps has it. */
export const startTime = (startedAt: number, now: number): string => {
  const start = new Date(startedAt)
  const today = new Date(now)
  if (start.toDateString() === today.toDateString()) return `${two(start.getHours())}:${two(start.getMinutes())}`
  if (start.getFullYear() !== today.getFullYear()) return String(start.getFullYear())
  return `${MONTHS[start.getMonth()]}${two(start.getDate())}`
}

/** `00:01:02`, `3-00:01:02` from a day on. */
export const processorTime = (milliseconds: number): string => {
  const seconds = Math.floor(milliseconds / 1000)
  const days = Math.floor(seconds / 86_400)
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':')
  return days > 0 ? `${days}-${clock}` : clock
}

/** A command line may hold anything; a table has one line for each. */
const oneLine = (command: string): string => command.replaceAll(/[\x00-\x1f\x7f]/g, ' ')

const cellsOf = (process: ProcessRow, now: number): string[] => [
  process.user,
  String(process.pid),
  String(process.parent),
  String(process.cpuPercent),
  startTime(process.startedAt, now),
  process.terminal,
  processorTime(process.cpuMs),
  oneLine(process.command),
]

export const formatProcesses = (containers: readonly ContainerProcesses[], now: number): string => {
  const lines = containers.flatMap(({ row, processes }) =>
    processes.map((process) => [row.service, String(row.number), ...cellsOf(process, now)]),
  )
  return formatTable(HEADERS, lines, NARROW)
}
