import { logTime } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { flag, text } from '../grammar.ts'
import { eventJson, eventLine } from '../render/event.ts'
import { openReader } from '../runtime.ts'
import { findTarget, requireServices } from '../target.ts'
import { readBound } from './logs.ts'

export const events = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Show what happens to the containers of a project, as it happens',
  details: 'Without --until it goes on until Ctrl-C.',
  options: {
    json: flag('One JSON object per line'),
    since: text('TIME', 'From this time on: 2026-01-02T13:23:37Z, or 42m for 42 minutes ago (default: now)'),
    until: text('TIME', 'Up to this time'),
  },
  examples: ['caisson events --json --since 10m', 'caisson events --since 1h --until 0s web'],
  run: async (context, { values, positionals: services }) => {
    const now = Date.now()
    const range = {
      since: readBound(values.since, '--since', now),
      until: readBound(values.until, '--until', now),
    }
    const engine = openReader(context)
    const target = await findTarget(context, engine)
    await requireServices(context, { target, rows: await engine.ps(target.name), services })
    const found = engine.events(target.name, {
      services,
      since: range.since === '' ? logTime(now) : range.since,
      until: range.until,
      signal: undefined,
    })
    const format = values.json ? eventJson : eventLine
    for await (const event of found) context.stdout.write(format(event))
    return 0
  },
})
