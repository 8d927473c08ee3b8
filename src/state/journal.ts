/**
 * The journal: `$CAISSON_ROOT/events`, one JSON line for each event, appended by monitors and commands alike.
 *
 * It is bounded without anybody's help: what is old is given back to the file system by a hole at the front of the file.
 * Offsets stay, so writers (O_APPEND, for months perhaps) and readers who follow need not know, and no line is copied or
 * moved that could get lost. The last KEPT_BYTES always stay.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import type { NativeBinding } from '../native/binding.ts'
import { journalFile, type Roots } from './layout.ts'
import type { JournalEvent } from './records.ts'
import { ifThere } from './store.ts'

/** Appends one event: one write(2) with O_APPEND, so lines of several writers never mix. A full disk loses the event, no more. */
export const appendEvent = (roots: Roots, event: Omit<JournalEvent, 'time'>): void => {
  const line = `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`
  try {
    mkdirSync(roots.root, { recursive: true, mode: 0o711 })
    const fd = openSync(journalFile(roots), constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600)
    try {
      writeSync(fd, line)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

const BLOCK_BYTES = 4096
/** Unit of st_blocks, whatever the file system. */
const SECTOR_BYTES = 512

export interface Bounds {
  /** Taken on disk before anything is given back. */
  readonly mostBytes: number
  readonly keptBytes: number
}

const BOUNDS: Bounds = { mostBytes: 4 << 20, keptBytes: 1 << 20 }

/** Gives the front of a long journal back. Two at once do the same; no lock is needed. */
export const trimJournal = (binding: NativeBinding, roots: Roots, { mostBytes, keptBytes }: Bounds = BOUNDS): void => {
  const path = journalFile(roots)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || found.blocks * SECTOR_BYTES <= mostBytes) return
  const end = Math.floor(Math.max(0, found.size - keptBytes) / BLOCK_BYTES) * BLOCK_BYTES
  if (end > 0) binding.punchHole(path, end)
}

const CHUNK_BYTES = 65_536
/** No writer makes a longer line. */
const MOST_LINE_BYTES = 1 << 20
const NEWLINE = 0x0a

const byteAt = (fd: number, offset: number): number => {
  const byte = Buffer.alloc(1)
  return readSync(fd, byte, 0, 1, offset) === 1 ? (byte[0] ?? 0) : 0
}

/** Where the hole at the front ends: every block before it starts with a zero, none behind it does. */
const endOfHole = (fd: number, size: number): number => {
  let [low, high] = [0, Math.ceil(size / BLOCK_BYTES)]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (byteAt(fd, middle * BLOCK_BYTES) === 0) low = middle + 1
    else high = middle
  }
  return low * BLOCK_BYTES
}

const parseLine = (line: string): JournalEvent | undefined => {
  try {
    const event = JSON.parse(line) as Partial<JournalEvent>
    const { time, type, action, id, attributes } = event
    const isEvent = [time, type, action, id].every((each) => typeof each === 'string') && typeof attributes === 'object'
    return isEvent ? (event as JournalEvent) : undefined
  } catch {
    return undefined // cut off by a full disk, or by the end of the hole
  }
}

/** Reads what is written, as it comes. A file that is not there yet is waited for, one that was replaced is read anew. */
export class JournalReader {
  readonly #path: string
  #fd: number | undefined
  #inode = 0
  #offset = 0
  #rest: Buffer = Buffer.alloc(0)

  /** `end`: only what is written from now on. */
  constructor(roots: Roots, from: 'start' | 'end') {
    this.#path = journalFile(roots)
    this.#open()
    if (this.#fd !== undefined && from === 'end') this.#offset = fstatSync(this.#fd).size
  }

  #open(): void {
    this.#fd = ifThere(() => openSync(this.#path, 'r'))
    if (this.#fd === undefined) return
    const { ino, size } = fstatSync(this.#fd)
    this.#inode = ino
    this.#offset = endOfHole(this.#fd, size)
    this.#rest = Buffer.alloc(0)
  }

  #chunk(): Buffer | undefined {
    if (this.#fd === undefined) return undefined
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    const size = readSync(this.#fd, buffer, 0, CHUNK_BYTES, this.#offset)
    this.#offset += size
    return size === 0 ? undefined : buffer.subarray(0, size)
  }

  *#drain(): Generator<JournalEvent> {
    for (let chunk = this.#chunk(); chunk !== undefined; chunk = this.#chunk()) {
      const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
      const end = data.lastIndexOf(NEWLINE) + 1
      this.#rest = data.length - end > MOST_LINE_BYTES ? Buffer.alloc(0) : Buffer.from(data.subarray(end))
      for (const line of data.toString('utf8', 0, end).split('\n')) {
        const event = line === '' ? undefined : parseLine(line)
        if (event !== undefined) yield event
      }
    }
  }

  /** Events whose lines are whole by now. */
  *read(): Generator<JournalEvent> {
    if (this.#fd === undefined) this.#open()
    yield* this.#drain()
    const there = statSync(this.#path, { throwIfNoEntry: false })
    if (there === undefined || (there.ino === this.#inode && there.size >= this.#offset)) return
    this.close()
    this.#open()
    yield* this.#drain()
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}

export interface JournalEnd {
  readonly time: string
  readonly exitCode: number
}

/** Ends of the container's process after `since`, as its monitor has written them down. */
export const endsSince = (roots: Roots, id: string, since: string): readonly JournalEnd[] => {
  const reader = new JournalReader(roots, 'start')
  try {
    return [...reader.read()]
      .filter((event) => event.id === id && event.action === 'die' && event.time > since)
      .map(({ time, attributes }) => ({ time, exitCode: Number(attributes.exitCode) }))
  } finally {
    reader.close()
  }
}
