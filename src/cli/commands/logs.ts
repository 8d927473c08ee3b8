import { CaissonError } from '../../errors.ts'
import { type ContainerRow, type LogOptions, logTime } from '../../index.ts'
import { parseDuration } from '../../units/duration.ts'
import { defineCommand } from '../command.ts'
import { flag, integer, text } from '../grammar.ts'
import { findTarget, requireServices } from '../target.ts'
import { createPrefix } from '../render/log-prefix.ts'
import { plainStyle, type Style } from '../render/style.ts'
import { openReader } from '../runtime.ts'
import { UsageError } from '../usage.ts'

/** `at`: milliseconds, whole seconds of them; `fraction`: digits of the second. A log line has nine: none gets lost. */
const stamp = (at: number, fraction: string): string =>
  `${logTime(at).slice(0, 20)}${fraction.slice(0, 9).padEnd(9, '0')}Z`

/** A duration before now, seconds since the epoch, or RFC 3339 (UTC where it says nothing) as a log time; empty: no bound. */
export const readBound = (word: string | undefined, name: string, now: number): string => {
  if (word === undefined || word === '') return ''
  const ago = parseDuration(word)
  if (ago !== undefined && !/^\d+$/.test(word)) return logTime(now - ago / 1e6)
  const [, seconds, digits = ''] = /^(\d{1,12})(?:\.(\d+))?$/.exec(word) ?? []
  if (seconds !== undefined) return stamp(Number(seconds) * 1000, digits)
  const [, date = word, fraction = '', zone] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(word) ?? []
  const time = Date.parse(date.includes('T') ? `${date}${zone ?? 'Z'}` : date)
  if (Number.isNaN(time))
    throw new UsageError(`${name} takes a time (2026-01-02T13:23:37Z) or a duration (42m), not "${word}"`)
  return stamp(time, fraction)
}

const readTail = (word: string | undefined): number | undefined => {
  if (word === undefined || word === 'all' || word === '-1') return undefined
  if (!/^\d{1,9}$/.test(word)) throw new UsageError(`--tail takes a number or all, not "${word}"`)
  return Number(word)
}

/** Throws UsageError. */
export const readPattern = (word: string): RegExp => {
  const [, ignoresCase, source = ''] = /^(\(\?i\))?(.*)$/s.exec(word) ?? []
  try {
    return new RegExp(source, ignoresCase === undefined ? 'g' : 'gi')
  } catch (error) {
    throw new UsageError(`--grep: ${error instanceof Error ? error.message : error}`)
  }
}

const readGrep = (word: string | undefined, style: Style): LogOptions['grep'] =>
  word === undefined
    ? undefined
    : {
        pattern: readPattern(word),
        highlight: style === plainStyle ? undefined : (match) => (match === '' ? '' : style('red', match)),
      }

/** Throws ENOCONTAINER where no container has that number: nothing would be shown, without a word. */
const requireIndex = (rows: readonly ContainerRow[], index: number | undefined): void => {
  if (index === undefined || rows.some(({ number }) => number === index)) return
  throw new CaissonError('ENOCONTAINER', `no container has the number ${index}`)
}

export const logs = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Show the output of containers',
  options: {
    follow: flag('Go on as output comes', 'f'),
    grep: text('PATTERN', 'Only lines whose content matches a regular expression; (?i) in front ignores case'),
    index: integer('N', 'Which container of a service with several', undefined, 1),
    noColor: flag('Without colours'),
    noLogPrefix: flag('Without the name of the container before each line'),
    since: text('TIME', 'From this time on: 2026-01-02T13:23:37Z, or 42m for 42 minutes ago'),
    tail: text('N', 'Last lines of each container (default: all); with --grep, last lines that match', 'n'),
    timestamps: flag('With the time of each line', 't'),
    until: text('TIME', 'Up to this time'),
  },
  examples: ['caisson logs -f web', 'caisson logs --since 5m --tail 100', "caisson logs --grep '(?i)error|warn' -n 20"],
  run: async (context, { values, positionals }) => {
    const now = Date.now()
    const options = {
      since: readBound(values.since, '--since', now),
      until: readBound(values.until, '--until', now),
      tail: readTail(values.tail),
    }
    if (values.index !== undefined && positionals.length !== 1) {
      throw new UsageError('--index needs the name of one service')
    }
    const engine = openReader(context)
    const style = values.noColor ? plainStyle : context.stdout.style
    const grep = readGrep(values.grep, style)
    const target = await findTarget(context, engine)
    const rows = await engine.ps(target.name)
    await requireServices(context, { target, rows: rows, services: positionals })
    const shown = rows.filter((row) => !row.oneOff && (positionals.length === 0 || positionals.includes(row.service)))
    requireIndex(shown, values.index)
    const services = values.follow ? positionals : [...new Set(shown.map(({ service }) => service))]
    if (positionals.length > 0 && services.length === 0) return 0 // none of them has ever run
    const prefix = createPrefix({ project: target.name, sources: shown, style })
    const items = engine.logs(target.name, {
      ...options,
      services: positionals.length === 0 ? [] : services,
      index: values.index,
      follow: values.follow,
      timestamps: values.timestamps,
      prefix: values.noLogPrefix ? () => '' : prefix,
      separate: false,
      ...{ grep, signal: undefined, silent: undefined, expecting: undefined },
    })
    for await (const item of items) {
      if (item.kind !== 'output') continue
      context.stdout.write(item.stdout)
      await context.stdout.drained()
    }
    return 0
  },
})
