/** The live task list of a change: one row for each thing that the plan touches. Loaded on a terminal only. */
import { Listr, type ListrDefaultRendererLogLevels, ListrLogger, type ListrTaskWrapper, ProcessOutput } from 'listr2'
import type { Plan, PlanNode } from '../../index.ts'
import type { Context } from '../context.ts'
import { formatNotice, type Progress } from './progress.ts'
import { formatMilliseconds, reasonsOf, stateWords, type StepEvent, titleOf } from './words.ts'

// biome-ignore lint/suspicious/noExplicitAny: the wrapper's parameters are renderers, which differ
type Task = ListrTaskWrapper<undefined, any, any>

/** Until its first operation has begun; then the event says how it is called. */
const titleBefore = (node: PlanNode | undefined): string => {
  if (node === undefined) return ''
  const { operation, resource } = node
  const noun = /[A-Z][a-z]+$/.exec(operation.kind)?.[0] ?? ''
  return 'name' in operation ? titleOf({ noun: noun.toLowerCase(), name: operation.name }) : resource.replace(':', ' ')
}

/** One resource of the plan. It ends when its last operation has. */
class Row {
  readonly ended: Promise<string | undefined>
  task: Task | undefined
  title: string
  #open: number
  #isOver = false
  #spent = 0
  #end: (skipped: string | undefined) => void = () => {}
  #fail: (error: Error) => void = () => {}

  readonly #reasons: ReadonlySet<number>

  constructor(nodes: readonly PlanNode[], reasons: ReadonlySet<number>) {
    this.#reasons = reasons
    this.title = titleBefore(nodes[0])
    this.#open = nodes.length
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    this.ended.catch(() => {})
  }

  show(event: StepEvent): void {
    if (this.#isOver) return
    if (event.kind === 'done') this.#spent += event.milliseconds
    const spent = event.kind === 'done' ? `  ${formatMilliseconds(this.#spent)}` : ''
    this.title = `${titleOf(event.subject)}  ${stateWords(event, this.#reasons)}${spent}`
    if (this.task !== undefined) this.task.title = this.title
    this.#isOver = event.kind === 'failed' || event.kind === 'skipped'
    if (event.kind === 'failed') this.#fail(new Error(event.error.message))
    else if (event.kind === 'skipped') this.#end(this.title)
    else if (event.kind === 'done' && --this.#open === 0) this.#end(undefined)
  }

  /** The command ended before this did. */
  abandon(): void {
    this.#end(this.title)
  }
}

const rowsOf = (plan: Plan): Map<string, Row> => {
  const byResource = new Map<string, PlanNode[]>()
  const reasons = reasonsOf(plan)
  for (const node of plan.nodes) byResource.set(node.resource, [...(byResource.get(node.resource) ?? []), node])
  return new Map([...byResource].map(([resource, group]) => [resource, new Row(group, reasons)]))
}

const createList = (rows: Iterable<Row>): Listr => {
  // Progress goes to stderr: stdout holds results.
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({
    processOutput: new ProcessOutput(process.stderr as unknown as NodeJS.WriteStream & { fd: 1 }, process.stderr),
  })
  const tasks = [...rows].map((row) => ({
    title: row.title,
    task: async (_context: unknown, task: Task) => {
      row.task = task
      task.title = row.title
      const skipped = await row.ended
      if (skipped !== undefined) task.skip(skipped)
    },
  }))
  return new Listr(
    tasks as never,
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      renderer: 'default',
      rendererOptions: { logger, showErrorMessage: false, collapseSkips: true },
    } as never,
  ) as unknown as Listr
}

interface Drawing {
  readonly rows: Map<string, Row>
  readonly finished: Promise<unknown>
}

/** Draws one list for each plan; later plans of the same command follow below. */
export const createLive = (context: Context): Progress => {
  let drawing: Drawing | undefined
  const finish = async (old: Drawing | undefined): Promise<void> => {
    for (const row of old?.rows.values() ?? []) row.abandon()
    await old?.finished
  }
  return {
    emit: (event) => {
      const notice = formatNotice(context, event)
      if (notice !== undefined) {
        context.stderr.write(notice)
        return
      }
      if (event.kind === 'planned') {
        const before = drawing
        const rows = rowsOf(event.plan)
        drawing = {
          rows,
          finished: finish(before).then(() => (rows.size === 0 ? undefined : createList(rows.values()).run())),
        }
      } else if ('node' in event) drawing?.rows.get(event.node.resource)?.show(event)
    },
    close: () => finish(drawing),
  }
}
