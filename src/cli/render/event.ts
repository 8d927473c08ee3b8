/** An event as `docker compose events` prints it. */
import type { ContainerEvent } from '../../index.ts'

const two = (value: number): string => String(value).padStart(2, '0')

/** `2026-11-25 18:04:20.005237`: local time, microseconds. */
const localTime = (time: string): string => {
  const date = new Date(time)
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${day} ${clock}.${/\.(\d{6})/.exec(time)?.[1] ?? '000000'}`
}

const sorted = (attributes: ContainerEvent['attributes']): [string, string][] =>
  Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))

export const eventLine = ({ time, type, action, id, attributes }: ContainerEvent): string => {
  const more = sorted(attributes).map(([key, value]) => `${key}=${value}`)
  return `${localTime(time)} ${type} ${action} ${id} (${more.join(', ')})\n`
}

/** Keys in Compose's order. */
export const eventJson = ({ action, attributes, id, service, time, type }: ContainerEvent): string =>
  `${JSON.stringify({ action, attributes: Object.fromEntries(sorted(attributes)), id, service, time, type })}\n`
