/** `image history`: how an image came about, the last step first. */
import { type ContentRoot, layerBytes } from './paths.ts'
import { findRecord, isHost, readConfiguration } from './store.ts'

export interface HistoryRow {
  /** Of the image, at its last step; of others nobody knows one. */
  readonly id: string | undefined
  /** Milliseconds since the epoch; undefined: not said. */
  readonly createdAt: number | undefined
  readonly createdBy: string
  readonly comment: string
  readonly sizeBytes: number
}

interface Step {
  readonly created?: string
  readonly created_by?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

const isStep = (value: unknown): value is Step => typeof value === 'object' && value !== null

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Each layer has a step, said or not. `sizes`: of layers, bottom first. */
export const historyOf = (id: string, history: unknown, sizes: readonly number[]): readonly HistoryRow[] => {
  const said = Array.isArray(history) ? history.filter(isStep) : []
  const missing = Math.max(0, sizes.length - said.filter((step) => step.empty_layer !== true).length)
  let layer = 0
  const rows = [...said, ...Array.from({ length: missing }, (): Step => ({}))].map((step) => ({
    createdAt: Date.parse(textOf(step.created)) || undefined,
    createdBy: textOf(step.created_by),
    comment: textOf(step.comment),
    sizeBytes: step.empty_layer === true ? 0 : (sizes[layer++] ?? 0),
  }))
  return rows.reverse().map((row, index) => ({ id: index === 0 ? id : undefined, ...row }))
}

/** By name, or by an id or its beginning. Throws ENOIMAGE, EREFERENCE. */
export const imageHistory = (content: ContentRoot, text: string): readonly HistoryRow[] => {
  if (isHost(text)) return []
  const record = findRecord(content, text)
  const { id, layers } = record
  const { history } = JSON.parse(readConfiguration(content, record)) as { readonly history?: unknown }
  const sizes = [...layers].reverse().map((chain) => layerBytes(content, chain))
  return historyOf(id, history, sizes)
}
