/**
 * Trees ↔ bytes, for a cache of parsed files. One pass over flat arrays: texts in a table (each once), everything else as
 * numbers of variable length, positions as the distance from the one before.
 */
import type { Entry, MergeTag, Node, ScalarValue } from './node.ts'
import { createOrigin } from './node.ts'

/** To be raised with every change of the form or of what parsing makes of a text. */
const VERSION = 1
const TAGS: readonly (MergeTag | undefined)[] = [undefined, 'reset', 'override']
const KINDS = {
  null: 0,
  false: 1,
  true: 2,
  text: 3,
  date: 4,
  integer: 5,
  number: 6,
  big: 7,
  map: 8,
  sequence: 9,
} as const

class Writer {
  readonly #bytes: number[] = []
  readonly #texts = new Map<string, number>()
  #position = 0

  unsigned(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#bytes.push((rest % 0x80) + 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes.push(rest)
  }

  signed(value: number): void {
    this.unsigned(value < 0 ? -value * 2 - 1 : value * 2)
  }

  text(value: string): void {
    const index = this.#texts.get(value) ?? this.#texts.size
    this.#texts.set(value, index)
    this.unsigned(index)
  }

  range(start: number, end: number): void {
    this.signed(start - this.#position)
    this.unsigned(Math.max(0, end - start))
    this.#position = start
  }

  finish(): Uint8Array {
    const texts = new TextEncoder().encode(JSON.stringify([...this.#texts.keys()]))
    const bytes = new Uint8Array(8 + texts.length + this.#bytes.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, VERSION)
    view.setUint32(4, texts.length)
    bytes.set(texts, 8)
    bytes.set(this.#bytes, 8 + texts.length)
    return bytes
  }
}

const writeScalar = (writer: Writer, value: ScalarValue, date: boolean, head: (kind: number) => void): void => {
  if (value === null) head(KINDS.null)
  else if (typeof value === 'boolean') head(value ? KINDS.true : KINDS.false)
  else if (typeof value === 'string') {
    head(date ? KINDS.date : KINDS.text)
    writer.text(value)
  } else if (typeof value === 'bigint') {
    head(KINDS.big)
    writer.text(String(value))
  } else if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    head(KINDS.integer)
    writer.signed(value)
  } else {
    head(KINDS.number)
    writer.text(Object.is(value, -0) ? '-0' : String(value))
  }
}

const writeNode = (writer: Writer, node: Node): void => {
  const head = (kind: number): void => {
    writer.unsigned(kind + 16 * TAGS.indexOf(node.tag))
    writer.range(node.origin.start, node.origin.end)
  }
  switch (node.kind) {
    case 'scalar':
      writeScalar(writer, node.value, node.date ?? false, head)
      return
    case 'sequence':
      head(KINDS.sequence)
      writer.unsigned(node.items.length)
      for (const item of node.items) writeNode(writer, item)
      return
    case 'map':
      head(KINDS.map)
      writer.unsigned(node.entries.size)
      for (const [name, entry] of node.entries) {
        writer.text(name)
        writer.range(entry.key?.start ?? 0, entry.key?.end ?? 0)
        writeNode(writer, entry.value)
      }
      return
    case 'poisoned':
      throw new Error('a tree with mistakes is not to be remembered')
  }
}

/** No node may be poisoned. */
export const encodeTrees = (trees: readonly Node[]): Uint8Array => {
  const writer = new Writer()
  writer.unsigned(trees.length)
  for (const tree of trees) writeNode(writer, tree)
  return writer.finish()
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #texts: readonly string[]
  readonly #file: string
  #offset: number
  #position = 0

  constructor(bytes: Uint8Array, file: string) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4)
    this.#bytes = bytes
    this.#file = file
    this.#texts = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as string[]
    this.#offset = 8 + length
  }

  unsigned(): number {
    const first = this.#bytes[this.#offset]
    if (first !== undefined && first < 0x80) {
      this.#offset++
      return first
    }
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.#bytes[this.#offset++]
      if (byte === undefined) throw new RangeError('the tree ends early')
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
  }

  signed(): number {
    const value = this.unsigned()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  text(): string {
    const text = this.#texts[this.unsigned()]
    if (text === undefined) throw new RangeError('the tree names a text that is not there')
    return text
  }

  origin(): ReturnType<typeof createOrigin> {
    this.#position += this.signed()
    return createOrigin(this.#file, this.#position, this.#position + this.unsigned())
  }

  scalar(kind: number): ScalarValue {
    switch (kind) {
      case KINDS.null:
        return null
      case KINDS.false:
        return false
      case KINDS.true:
        return true
      case KINDS.integer:
        return this.signed()
      case KINDS.number:
        return Number(this.text())
      case KINDS.big:
        return BigInt(this.text())
      default:
        return this.text()
    }
  }

  node(): Node {
    const head = this.unsigned()
    const kind = head % 16
    const tag = TAGS[Math.floor(head / 16)]
    const origin = this.origin()
    const node = this.#body(kind, origin)
    return tag ? { ...node, tag } : node
  }

  #body(kind: number, origin: ReturnType<typeof createOrigin>): Node {
    if (kind === KINDS.map) return { kind: 'map', entries: this.#entries(), origin }
    if (kind === KINDS.sequence)
      return { kind: 'sequence', items: Array.from({ length: this.unsigned() }, () => this.node()), origin }
    const value = this.scalar(kind)
    return kind === KINDS.date ? { kind: 'scalar', value, origin, date: true } : { kind: 'scalar', value, origin }
  }

  #entries(): Map<string, Entry> {
    const entries = new Map<string, Entry>()
    for (let left = this.unsigned(); left > 0; left--) {
      const name = this.text()
      const key = this.origin()
      entries.set(name, { key, value: this.node() })
    }
    return entries
  }
}

/** Trees of `file`; undefined where the bytes are of another version or damaged. */
export const decodeTrees = (bytes: Uint8Array, file: string): readonly Node[] | undefined => {
  if (bytes.length < 9 || new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) !== VERSION) return undefined
  try {
    const reader = new Reader(bytes, file)
    return Array.from({ length: reader.unsigned() }, () => reader.node())
  } catch {
    return undefined
  }
}
