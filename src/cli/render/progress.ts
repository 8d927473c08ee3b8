/** What is drawn of a change while it runs: a live list on a terminal, a line for each state change elsewhere, JSON, or nothing. */
import { type EngineEvent, type ImageEvent, ServiceError } from '../../index.ts'
import { askedProgress, type Context } from '../context.ts'
import { UsageError } from '../usage.ts'
import { ciOf, formatGroup, type Group } from './ci.ts'
import { formatWarning } from './error.ts'
import { drawTransfers, isTransfer, type TransferDrawing } from './transfer.ts'
import { follow, formatImage, type ImageOutcome, imageWord, outcomeOf, type Transfers } from './transfer-state.ts'
import { reasonsOf, stateWords, type StepEvent, titleOf } from './words.ts'

export interface Progress {
  emit(event: EngineEvent): void
  /** Everything is drawn and the terminal is free again. */
  close(): Promise<void>
}

export type ProgressMode = 'tty' | 'plain' | 'json' | 'quiet'

const MODES = ['auto', 'tty', 'plain', 'json', 'quiet']

export const progressMode = (context: Context): ProgressMode => {
  const asked = askedProgress(context)
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
    case 'finished':
      return `${event.subject.name} has done its work and is not run again (--rerun runs it)\n`
    default:
      return undefined
  }
}

const isStep = (event: EngineEvent): event is StepEvent => 'node' in event

/** Of what begins, only what may take long is worth a line of its own. */
const isTold = (event: StepEvent): boolean => {
  if (event.kind === 'waiting') return event.isReminder
  return event.kind !== 'started' || event.node.operation.kind === 'stopContainer'
}

/** Turns events into lines; knows the plan that they belong to. undefined: nothing to show. */
const lines = (format: (event: EngineEvent, reasons: ReadonlySet<number>) => string | undefined, context: Context) => {
  let reasons: ReadonlySet<number> = new Set()
  return (event: EngineEvent): void => {
    if (event.kind === 'planned') reasons = reasonsOf(event.plan)
    const line = format(event, reasons)
    if (line !== undefined) context.stderr.write(`${line}\n`)
  }
}

/** A line when an image begins to come or go, and one when it is over, with what has come. */
const imageLines = (): ((event: EngineEvent) => string | undefined) => {
  let transfers: Transfers = new Map()
  return (event) => {
    if (!isTransfer(event)) return undefined
    transfers = follow(transfers, event)
    const state = event.kind === 'image' ? transfers.get(event.image) : undefined
    return state === undefined ? undefined : formatImage(state, 0)
  }
}

const plain = (context: Context): Progress => {
  const imageLine = imageLines()
  return {
    emit: lines((event, reasons) => {
      if (isTransfer(event)) return imageLine(event)
      if (isStep(event)) return isTold(event) ? ` ${titleOf(event.subject)}  ${stateWords(event, reasons)}` : undefined
      return formatNotice(context, event)?.replace(/\n$/, '')
    }, context),
    close: async () => {},
  }
}

/** As docker compose's `--progress json` has them. */
const STATUS: Readonly<Record<StepEvent['kind'], string>> = {
  started: 'Working',
  waiting: 'Working',
  done: 'Done',
  failed: 'Error',
  skipped: 'Warning',
}

/** The reason of what is done; what is known of a failure: of a service's, how it ended and its last words too. */
const detailsOf = (event: StepEvent, reasons: ReadonlySet<number>): object => {
  if (event.kind === 'done' && reasons.has(event.node.id)) return { details: event.node.cause }
  if (event.kind !== 'failed') return {}
  const { error } = event
  if (!(error instanceof ServiceError)) return { details: error.message }
  const { message: details, service, exit, healthLog: health, output } = error
  return { details, service, exit, health, output }
}

const IMAGE_STATUS: Readonly<Record<ImageOutcome, string>> = {
  ...{ started: 'Working', done: 'Done', unchanged: 'Done', failed: 'Error', interrupted: 'Warning' },
}

const imageObject = (event: ImageEvent): object => ({
  ...{
    id: `Image ${event.image}`,
    status: IMAGE_STATUS[outcomeOf(event)],
    text: imageWord({ ...event, state: outcomeOf(event) }),
  },
  ...(event.state === 'failed' ? { details: event.error.message } : {}),
  ...(event.state === 'done' || event.state === 'unchanged' ? { digest: event.digest } : {}),
})

const NO_REASONS: ReadonlySet<number> = new Set()

/** Keys of docker compose's `--progress json`; the reason is a detail, so that `text` is Compose's word. */
const json = (context: Context): Progress => ({
  emit: lines((event, reasons) => {
    if (event.kind === 'image') return JSON.stringify(imageObject(event))
    if (isStep(event)) {
      const [id, text] = [titleOf(event.subject), stateWords(event, NO_REASONS)]
      return JSON.stringify({ id, status: STATUS[event.kind], text, ...detailsOf(event, reasons) })
    }
    const notice = formatNotice(context, event)?.trimEnd()
    if (notice === undefined || event.kind === 'warning') return notice
    return JSON.stringify({ level: 'warning', message: notice })
  }, context),
  close: async () => {},
})

const quiet: Progress = { emit: () => {}, close: async () => {} }

/** Live drawing costs 60 ms to load: a change that ends sooner than this is shown as lines. */
const LIVE_AFTER_MS = 90

/** Images come before anything is planned: they are drawn by themselves, and the list follows below. */
const withTransfers = (context: Context, rest: Progress): Progress => {
  let drawing: TransferDrawing | undefined
  const finish = (): void => {
    drawing?.finish()
    drawing = undefined
  }
  return {
    emit: (event) => {
      if (isTransfer(event)) {
        drawing ??= drawTransfers(context, () => process.stderr.rows ?? FEW_ROWS)
        drawing.show(event)
        return
      }
      finish()
      rest.emit(event)
    },
    close: async () => {
      finish()
      await rest.close()
    },
  }
}

/** Of a terminal that does not say how high it is. */
const FEW_ROWS = 24

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
      const drawing = plain(context)
      for (const event of kept.splice(0)) drawing.emit(event)
    },
  }
}

/** A group of lines that a CI runner can fold, around the changes of one command. */
const grouped = (context: Context, inner: Progress): Progress => {
  const ci = ciOf(context.env)
  if (ci === undefined) return inner
  let group: Group | undefined
  return {
    emit: (event) => {
      if (group === undefined && event.kind === 'planned' && event.plan.nodes.length > 0) {
        const { project } = event.plan
        group = formatGroup(ci, { id: `change_${project}`, title: `Changes of project ${project}`, now: Date.now() })
        context.stderr.write(group.begin)
      }
      inner.emit(event)
    },
    close: async () => {
      await inner.close()
      if (group !== undefined) context.stderr.write(group.end)
      group = undefined
    },
  }
}

/** `isWhole`: nothing else is written meanwhile, so that a list may be redrawn and lines be put in a group. */
export const createProgress = (context: Context, isWhole = true): Progress => {
  switch (progressMode(context)) {
    case 'tty':
      return isWhole ? withTransfers(context, live(context)) : plain(context)
    case 'plain':
      return isWhole ? grouped(context, plain(context)) : plain(context)
    case 'json':
      return json(context)
    case 'quiet':
      return quiet
  }
}
