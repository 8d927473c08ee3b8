import { logTime } from '../../index.ts'
import { parseDuration } from '../../units/duration.ts'
import { defineCommand } from '../command.ts'
import { flag, integer, text } from '../grammar.ts'
import { findTarget, requireServices } from '../target.ts'
import { createPrefix } from '../render/log-prefix.ts'
import { plainStyle } from '../render/style.ts'
import { openReader } from '../runtime.ts'
import { UsageError } from '../usage.ts'

/** A duration before now, seconds since the epoch, or RFC 3339 (UTC where it says nothing) as a log time; empty: no bound. */
export const readBound = (word: string | undefined, name: string, now: number): string => {
  if (word === undefined || word === '') return ''
  const ago = parseDuration(word)
  if (ago !== undefined && !/^\d+$/.test(word)) return logTime(now - ago / 1e6)
  if (/^\d+(\.\d+)?$/.test(word)) return logTime(Number(word) * 1000)
  const zoned = /(?:Z|[+-]\d\d:\d\d)$/.test(word) || /^\d{4}-\d\d-\d\d$/.test(word) ? word : `${word}Z`
  const time = Date.parse(zoned)
  if (Number.isNaN(time))
    throw new UsageError(`${name} takes a time (2026-01-02T13:23:37Z) or a duration (42m), not "${word}"`)
  return logTime(time)
}

const readTail = (word: string | undefined): number | undefined => {
  if (word === undefined || word === 'all' || word === '-1') return undefined
  if (!/^\d{1,9}$/.test(word)) throw new UsageError(`--tail takes a number or all, not "${word}"`)
  return Number(word)
}

export const logs = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Show the output of containers',
  options: {
    follow: flag('Go on as output comes', 'f'),
    index: integer('N', 'Which container of a service with several', undefined, 1),
    noColor: flag('Without colours'),
    noLogPrefix: flag('Without the name of the container before each line'),
    since: text('TIME', 'From this time on: 2026-01-02T13:23:37Z, or 42m for 42 minutes ago'),
    tail: text('N', 'Last lines of each container (default: all)', 'n'),
    timestamps: flag('With the time of each line', 't'),
    until: text('TIME', 'Up to this time'),
  },
  examples: ['caisson logs -f web', 'caisson logs --since 5m --tail 100'],
  run: async (context, { values, positionals }) => {
    const now = Date.now()
    const options = {
      since: readBound(values.since, '--since', now),
      until: readBound(values.until, '--until', now),
      tail: readTail(values.tail),
    }
    const engine = openReader(context)
    const target = await findTarget(context, engine)
    const rows = await engine.ps(target.name)
    await requireServices(context, { target, rows: rows, services: positionals })
    const shown = rows.filter((row) => positionals.length === 0 || positionals.includes(row.service))
    const style = values.noColor ? plainStyle : context.stdout.style
    const prefix = createPrefix({ project: target.name, sources: shown, style })
    const items = engine.logs(target.name, {
      ...options,
      services: positionals,
      index: values.index,
      follow: values.follow,
      timestamps: values.timestamps,
      prefix: values.noLogPrefix ? () => '' : prefix,
      separate: false,
      signal: undefined,
    })
    for await (const item of items) if (item.kind === 'output') context.stdout.write(item.stdout)
    return 0
  },
})
