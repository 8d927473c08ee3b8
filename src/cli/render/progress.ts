/** What is drawn of a change while it runs: a live list on a terminal, a line for each state change elsewhere, JSON, or nothing. */
import type { EngineEvent } from '../../index.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../usage.ts'
import { formatWarning } from './error.ts'
import { stateWord, titleOf } from './words.ts'

export interface Progress {
  emit(event: EngineEvent): void
  /** Everything is drawn and the terminal is free again. */
  close(): Promise<void>
}

export type ProgressMode = 'tty' | 'plain' | 'json' | 'quiet'

const MODES = ['auto', 'tty', 'plain', 'json', 'quiet']

export const progressMode = (context: Context): ProgressMode => {
  const asked = context.given.has('progress') ? context.globals.progress : (context.env.COMPOSE_PROGRESS ?? 'auto')
  if (!MODES.includes(asked)) throw new UsageError(`COMPOSE_PROGRESS is one of ${MODES.join(', ')}, not "${asked}"`)
  if (asked !== 'auto' && asked !== '') return asked as ProgressMode
  const ci = context.env.CI !== undefined && context.env.CI !== '' && context.env.CI !== 'false'
  return context.stderr.isTTY && context.stderr.columns > 0 && context.env.TERM !== 'dumb' && !ci ? 'tty' : 'plain'
}

/** Events that every way of drawing shows the same: warnings, waiting for a lock, recovery. undefined: none of these. */
export const formatNotice = (context: Context, event: EngineEvent): string | undefined => {
  switch (event.kind) {
    case 'warning':
      return formatWarning(context, event)
    case 'locked':
      return `waiting for ${event.holder === undefined ? 'another command' : `process ${event.holder.pid} (${event.holder.command})`}, which changes ${event.lock === 'content' ? 'images' : 'the same project'}\n`
    case 'recovered':
      return `${event.name}: ${event.reason}\n`
    default:
      return undefined
  }
}

const plainLine = (event: EngineEvent): string | undefined => {
  switch (event.kind) {
    case 'started':
      // Only what may take long is worth two lines.
      return event.node.operation.kind === 'stopContainer'
        ? ` ${titleOf(event.subject)}  ${stateWord(event)}\n`
        : undefined
    case 'done':
    case 'failed':
      return ` ${titleOf(event.subject)}  ${stateWord(event)}\n`
    case 'skipped':
      return ` ${titleOf(event.subject)}  ${stateWord(event)}\n`
    default:
      return undefined
  }
}

const plain = (context: Context): Progress => ({
  emit: (event) => {
    const line = formatNotice(context, event) ?? plainLine(event)
    if (line !== undefined) context.stderr.write(line)
  },
  close: async () => {},
})

/** Keys of docker compose's `--progress json`. */
const jsonLine = (context: Context, event: EngineEvent): string | undefined => {
  switch (event.kind) {
    case 'started':
    case 'done':
    case 'failed':
    case 'skipped':
      return JSON.stringify({
        id: titleOf(event.subject),
        status:
          event.kind === 'started'
            ? 'Working'
            : event.kind === 'failed'
              ? 'Error'
              : event.kind === 'skipped'
                ? 'Warning'
                : 'Done',
        text: stateWord(event),
        ...(event.kind === 'failed' ? { details: event.error.message } : {}),
      })
    default: {
      const notice = formatNotice(context, event)
      return notice === undefined ? undefined : JSON.stringify({ level: 'warning', message: notice.trimEnd() })
    }
  }
}

const json = (context: Context): Progress => ({
  emit: (event) => {
    const line = jsonLine(context, event)
    if (line !== undefined) context.stderr.write(`${line}\n`)
  },
  close: async () => {},
})

const quiet: Progress = { emit: () => {}, close: async () => {} }

/** Live drawing costs 60 ms to load: a change that ends sooner than this is shown as lines. */
const LIVE_AFTER_MS = 90

/** Keeps events until the live list is there; what is over by then is printed as plain lines. */
const live = (context: Context): Progress => {
  const kept: EngineEvent[] = []
  let drawn: Promise<Progress> | undefined
  let now: Progress | undefined
  const timer = setTimeout(() => {
    drawn = import('./live.ts').then(({ createLive }) => {
      now = createLive(context)
      for (const event of kept.splice(0)) now.emit(event)
      return now
    })
  }, LIVE_AFTER_MS)
  return {
    emit: (event) => {
      if (now === undefined) kept.push(event)
      else now.emit(event)
    },
    close: async () => {
      clearTimeout(timer)
      if (drawn !== undefined) return (await drawn).close()
      const lines = plain(context)
      for (const event of kept.splice(0)) lines.emit(event)
    },
  }
}

export const createProgress = (context: Context): Progress => {
  switch (progressMode(context)) {
    case 'tty':
      return live(context)
    case 'plain':
      return plain(context)
    case 'json':
      return json(context)
    case 'quiet':
      return quiet
  }
}
