/** What is known of images on their way, and the lines that say it. */
import type { BlobEvent, ImageEvent } from '../../index.ts'
import { humanSize } from './human.ts'

export interface BlobState {
  readonly digest: string
  readonly phase: BlobEvent['phase']
  readonly bytes: number
  readonly size: number
}

/** Ctrl-C is no error: what has come until then stays. */
export type ImageOutcome = ImageEvent['state'] | 'interrupted'

export const outcomeOf = (event: ImageEvent): ImageOutcome =>
  event.state === 'failed' && event.error.code === 'EABORTED' ? 'interrupted' : event.state

export interface ImageState {
  readonly image: string
  readonly direction: ImageEvent['direction']
  readonly state: ImageOutcome
  /** In the order in which they were heard of. */
  readonly blobs: ReadonlyMap<string, BlobState>
  readonly message: string
  readonly milliseconds: number
}

export type Transfers = ReadonlyMap<string, ImageState>

const unknown = ({ image, direction }: ImageEvent | BlobEvent): ImageState => ({
  ...{ image, direction, state: 'started', blobs: new Map(), message: '', milliseconds: 0 },
})

const withImage = (before: ImageState, event: ImageEvent): ImageState => ({
  ...before,
  state: outcomeOf(event),
  message: event.state === 'failed' ? event.error.message : '',
  milliseconds: 'milliseconds' in event ? event.milliseconds : 0,
})

/** The state after an event. */
export const follow = (transfers: Transfers, event: ImageEvent | BlobEvent): Transfers => {
  const before = transfers.get(event.image) ?? unknown(event)
  const { kind } = event
  if (kind === 'image') return new Map(transfers).set(event.image, withImage(before, event))
  const { digest, phase, bytes, size } = event
  const blobs = new Map(before.blobs).set(digest, { digest, phase, bytes, size })
  return new Map(transfers).set(event.image, { ...before, blobs })
}

const DOING = { pull: 'Pulling', push: 'Pushing' }
const DONE = { pull: 'Pulled', push: 'Pushed' }

/** Compose's word for it. */
export const imageWord = ({ direction, state }: Pick<ImageState, 'direction' | 'state'>): string => {
  if (state === 'started') return DOING[direction]
  if (state === 'failed') return 'Error'
  if (state === 'interrupted') return 'Interrupted'
  return state === 'done' ? DONE[direction] : 'Up to date'
}

/** Docker's words for a blob. */
export const BLOB_WORDS: Readonly<Record<BlobEvent['phase'], string>> = {
  here: 'Already exists',
  there: 'Layer already exists',
  mounted: 'Mounted from another repository',
  waiting: 'Waiting',
  downloading: 'Downloading',
  unpacking: 'Extracting',
  uploading: 'Pushing',
  done: 'Complete',
}

/** Bytes that move: what was there all along is no part of the way. */
export const moved = ({ blobs }: ImageState): { readonly bytes: number; readonly size: number } => {
  const moving = [...blobs.values()].filter(({ phase }) => !['here', 'there', 'mounted'].includes(phase))
  return {
    bytes: moving.reduce((sum, { bytes }) => sum + bytes, 0),
    size: moving.reduce((sum, { size }) => sum + size, 0),
  }
}

const seconds = (milliseconds: number): string =>
  milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(1)}s` : `${Math.round(milliseconds / 1000)}s`

/** `bytesPerSecond`: 0 where nothing has been measured yet. */
export const formatImage = (state: ImageState, bytesPerSecond: number): string => {
  const { bytes, size } = moved(state)
  const title = ` Image ${state.image}  ${imageWord(state)}`
  if (state.state === 'failed' || state.state === 'interrupted') return title
  if (state.state !== 'started') {
    const amount = size > 0 ? `  ${humanSize(size)}` : ''
    return `${title}${amount}  ${seconds(state.milliseconds)}`
  }
  if (size === 0) return title
  const speed = bytesPerSecond > 0 ? `  ${humanSize(bytesPerSecond)}/s` : ''
  const left = bytesPerSecond > 0 && bytes < size ? `  ${seconds(((size - bytes) / bytesPerSecond) * 1000)} left` : ''
  return `${title}  ${humanSize(bytes)} / ${humanSize(size)}${speed}${left}`
}

const BAR = 20
const SHORT = 12

export const shortDigest = (digest: string): string => digest.slice(digest.indexOf(':') + 1).slice(0, SHORT)

/** A bar where bytes move, a word where they do not. */
export const formatBlob = ({ digest, phase, bytes, size }: BlobState): string => {
  const title = `   ${shortDigest(digest)}  ${BLOB_WORDS[phase].padEnd(11)}`
  if (phase !== 'downloading' && phase !== 'uploading') return title.trimEnd()
  const filled = size === 0 ? 0 : Math.floor((bytes / size) * BAR)
  const bar = `${'='.repeat(filled)}${filled < BAR ? '>' : ''}`.slice(0, BAR).padEnd(BAR)
  return `${title} [${bar}] ${humanSize(bytes)} / ${humanSize(size)}`
}

/** An image that comes or goes, with as many of its blobs that move as there is room for. */
const formatOne = (state: ImageState, bytesPerSecond: number, room: number): readonly string[] => {
  const line = formatImage(state, bytesPerSecond)
  if (state.state !== 'started') return [line]
  const moving = [...state.blobs.values()].filter(({ phase }) => MOVING.has(phase))
  return [line, ...moving.slice(0, room).map(formatBlob)]
}

const MOVING: ReadonlySet<BlobEvent['phase']> = new Set(['downloading', 'uploading', 'unpacking'])

/** All of it in less than `rows` lines; of very many images those that are still on their way. */
export const formatTransfers = (
  transfers: Transfers,
  speeds: ReadonlyMap<string, number>,
  rows: number,
): readonly string[] => {
  const images = [...transfers.values()]
  const open = images.filter(({ state }) => state === 'started')
  const room = Math.max(0, Math.floor((rows - 1 - images.length) / Math.max(1, open.length)))
  const lines = images.flatMap((state) => formatOne(state, speeds.get(state.image) ?? 0, room))
  if (lines.length < rows) return lines
  const shown = open.slice(0, Math.max(1, rows - 2)).map((state) => formatImage(state, speeds.get(state.image) ?? 0))
  return [...shown, ` … and ${images.length - shown.length} more`]
}
