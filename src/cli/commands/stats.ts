import type { UsageSample } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { flag, text } from '../grammar.ts'
import { type Keys, listenForKeys } from '../keys.ts'
import { formatListing } from '../render/template.ts'
import { frame, selectUsage, USAGE_COLUMNS, USAGE_HEADERS, type UsageSelection, usageViews } from '../render/usage.ts'
import { openReader } from '../runtime.ts'
import { findTarget, requireServices } from '../target.ts'

/** Between the two samples that make the first rate: long enough for one of a few per cent. */
const FIRST_MS = 500
const REFRESH_MS = 1000

const pause = (milliseconds: number): Promise<undefined> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds, undefined))

/** undefined after the time; the exit code when somebody ends it before. */
const pauseUnless = async (keys: Keys, milliseconds: number): Promise<number | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined)
  })
  try {
    return await Promise.race([keys.ended, late])
  } finally {
    clearTimeout(timer)
  }
}

type Read = () => Promise<readonly UsageSample[]>
type Show = (now: readonly UsageSample[], before: readonly UsageSample[]) => string

/** Redraws until a key or a signal ends it. */
const stream = async ({ stdout }: Context, read: Read, show: Show): Promise<number> => {
  const keys = listenForKeys(process.stdin)
  try {
    let before = await read()
    for (let isFirst = true; ; isFirst = false) {
      const ended = await pauseUnless(keys, isFirst ? FIRST_MS : REFRESH_MS)
      if (ended !== undefined) return ended
      const now = await read()
      const shown = show(now, before)
      stdout.write(stdout.isTTY ? frame(shown, process.stdout.rows ?? 24, isFirst) : shown)
      before = now
    }
  } finally {
    keys.close()
  }
}

export const stats = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Show what containers use: processor, memory, network, disk',
  details: 'On a terminal it is drawn anew every second until q or Ctrl-C.',
  options: {
    all: flag('Containers that do not run, too', 'a'),
    format: text(
      'FORMAT',
      'table (default), json (one object per line), or a template such as "{{.Name}} {{.CPUPerc}}"',
    ),
    noStream: flag('Show it once'),
    noTrunc: flag('Do not cut long values'),
  },
  examples: ['caisson stats --no-stream', 'caisson stats --format "{{.Name}} {{.MemUsage}}" web'],
  run: async (context, { values, positionals: services }) => {
    const engine = openReader(context)
    const target = await findTarget(context, engine)
    await requireServices(context, { target, rows: await engine.ps(target.name), services })
    const selection: UsageSelection = { all: values.all, services }
    const sample = await engine.usage(target.name)
    const read: Read = async () => selectUsage(await sample(), selection)
    const show: Show = (now, before) =>
      formatListing({
        format: values.format ?? 'table',
        rows: usageViews(now, before) as unknown as Record<string, unknown>[],
        columns: USAGE_COLUMNS,
        headers: USAGE_HEADERS,
      })
    if (!values.noStream) return stream(context, read, show)
    const before = await read()
    if (before.length > 0) await pause(FIRST_MS)
    context.stdout.write(show(await read(), before))
    return 0
  },
})
