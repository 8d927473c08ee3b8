/** Filters of `ps`: each key narrows the list; of several values of one key any will do, but labels all count. */
import type { ContainerRow } from '../index.ts'
import { UsageError } from './usage.ts'

const STATES = ['paused', 'restarting', 'removing', 'running', 'dead', 'created', 'exited']
const HEALTH = ['none', 'starting', 'healthy', 'unhealthy']
const KEYS = ['status', 'health', 'name', 'label'] as const

export interface Filters {
  /** Empty: any. */
  readonly status: ReadonlySet<string>
  readonly health: ReadonlySet<string>
  readonly name: readonly RegExp[]
  /** `KEY` or `KEY=VALUE`. */
  readonly label: readonly string[]
}

const pattern = (text: string): RegExp => {
  try {
    return new RegExp(text)
  } catch {
    throw new UsageError(`--filter: not a pattern: "${text}"`)
  }
}

const known = (noun: string, values: readonly string[], all: readonly string[]): ReadonlySet<string> => {
  const unknown = values.find((value) => !all.includes(value))
  if (unknown !== undefined) throw new UsageError(`unknown ${noun} "${unknown}"`, `known: ${all.join(', ')}`)
  return new Set(values)
}

/** `--filter` and `--status`, checked. Throws UsageError. */
export const readFilters = (filters: readonly string[], status: readonly string[]): Filters => {
  const found: Record<(typeof KEYS)[number], string[]> = { status: [...status], health: [], name: [], label: [] }
  for (const filter of filters) {
    const at = filter.indexOf('=')
    const key = KEYS.find((each) => at > 0 && each === filter.slice(0, at))
    if (key === undefined) {
      throw new UsageError(`--filter takes KEY=VALUE, not "${filter}"`, `keys: ${KEYS.join(', ')}`)
    }
    found[key].push(filter.slice(at + 1))
  }
  return {
    status: known('status', found.status, STATES),
    health: known('health', found.health, HEALTH),
    name: found.name.map(pattern),
    label: found.label,
  }
}

const hasLabel = ({ labels }: ContainerRow, wanted: string): boolean => {
  const at = wanted.indexOf('=')
  if (at < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, at)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(at + 1)
}

export const matches = (row: ContainerRow, { status, health, name, label }: Filters): boolean =>
  (status.size === 0 || status.has(row.state)) &&
  (health.size === 0 || health.has(row.health)) &&
  (name.length === 0 || name.some((each) => each.test(row.name))) &&
  label.every((wanted) => hasLabel(row, wanted))
