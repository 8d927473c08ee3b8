/** Draws images on their way to a terminal: a block of lines that is written over ten times a second. */
import type { BlobEvent, EngineEvent, ImageEvent } from '../../index.ts'
import type { Context } from '../context.ts'
import { truncate } from './human.ts'
import { follow, formatTransfers, moved, type Transfers } from './transfer-state.ts'

export const isTransfer = (event: EngineEvent): event is ImageEvent | BlobEvent =>
  event.kind === 'image' || event.kind === 'blob'

const FRAME_MS = 100
/** Speed is that of the last seconds. */
const WINDOW_MS = 3000

interface Sample {
  readonly at: number
  readonly bytes: number
}

/** Bytes a second of each image, over the window. */
const measure = (samples: Map<string, Sample[]>, transfers: Transfers, now: number): ReadonlyMap<string, number> =>
  new Map(
    [...transfers].map(([image, state]) => {
      const kept = (samples.get(image) ?? []).filter(({ at }) => now - at < WINDOW_MS)
      kept.push({ at: now, bytes: moved(state).bytes })
      samples.set(image, kept)
      const [first = { at: now, bytes: 0 }] = kept
      const spent = now - first.at
      return [image, spent < 300 ? 0 : ((moved(state).bytes - first.bytes) / spent) * 1000]
    }),
  )

export interface TransferDrawing {
  show(event: ImageEvent | BlobEvent): void
  /** The last state stays on the screen, and the cursor is below it. */
  finish(): void
}

/** `write`: the terminal's. */
export const drawTransfers = ({ stderr }: Pick<Context, 'stderr'>, terminalRows: () => number): TransferDrawing => {
  let transfers: Transfers = new Map()
  const samples = new Map<string, Sample[]>()
  let height = 0
  const draw = (): void => {
    const speeds = measure(samples, transfers, performance.now())
    const lines = formatTransfers(transfers, speeds, terminalRows())
    const up = height === 0 ? '' : `\x1b[${height}A`
    stderr.write(`${up}\x1b[J${lines.map((line) => `${truncate(line, stderr.columns)}\n`).join('')}`)
    height = lines.length
  }
  const timer = setInterval(draw, FRAME_MS).unref()
  return {
    show: (event) => {
      transfers = follow(transfers, event)
    },
    finish: () => {
      clearInterval(timer)
      draw()
    },
  }
}
