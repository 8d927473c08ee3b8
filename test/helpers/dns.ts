/** Just enough DNS (RFC 1035) to ask and to answer in tests. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

export const TYPE = { a: 1, soa: 6, ptr: 12, mx: 15, txt: 16, aaaa: 28, opt: 41, any: 255 } as const
export const CODE = { success: 0, format: 1, failure: 2, noName: 3, notImplemented: 4, refused: 5 } as const

const u16 = (...values: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 2)
  for (const [index, value] of values.entries()) buffer.writeUInt16BE(value, index * 2)
  return buffer
}

export const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ])

export interface QueryOptions {
  readonly type?: number
  readonly id?: number
  /** EDNS with this size. */
  readonly udpBytes?: number
}

export const query = (name: string, { type = TYPE.a, id = 0x1234, udpBytes }: QueryOptions = {}): Buffer => {
  const options = udpBytes === undefined ? [] : [Buffer.from([0]), u16(TYPE.opt, udpBytes, 0, 0, 0)]
  return Buffer.concat([
    u16(id, 0x0100, 1, 0, 0, options.length > 0 ? 1 : 0),
    encodeName(name),
    u16(type, 1),
    ...options,
  ])
}

/** With its two bytes of length, for TCP. */
export const framed = (message: Uint8Array): Buffer => Buffer.concat([u16(message.length), message])

const readName = (message: Buffer, at: number): [string, number] => {
  const labels: string[] = []
  for (let offset = at, end = 0; ; ) {
    const length = message.readUInt8(offset)
    if (length === 0) return [labels.join('.'), end || offset + 1]
    if (length >= 0xc0) {
      end ||= offset + 2
      offset = message.readUInt16BE(offset) & 0x3fff
    } else {
      labels.push(message.toString('latin1', offset + 1, offset + 1 + length))
      offset += 1 + length
    }
  }
}

export interface Reply {
  readonly id: number
  readonly code: number
  readonly truncated: boolean
  readonly question: string
  /** Text of A and PTR records, hex of others; without OPT. */
  readonly answers: readonly string[]
  readonly ttls: readonly number[]
  readonly edns: boolean
}

export const readReply = (message: Buffer | undefined): Reply => {
  if (message === undefined) throw new Error('no reply')
  const flags = message.readUInt16BE(2)
  let [question, at] = readName(message, 12)
  at += 4
  const answers: string[] = []
  const ttls: number[] = []
  let edns = false
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10)
  for (let i = 0; i < count; i++) {
    const [, behind] = readName(message, at)
    const type = message.readUInt16BE(behind)
    const length = message.readUInt16BE(behind + 8)
    const data = message.subarray(behind + 10, behind + 10 + length)
    at = behind + 10 + length
    if (type === TYPE.opt) {
      edns = true
      continue
    }
    ttls.push(message.readUInt32BE(behind + 4))
    if (type === TYPE.a) answers.push([...data].join('.'))
    else answers.push(type === TYPE.ptr ? readName(message, behind + 10)[0] : data.toString('hex'))
  }
  return {
    id: message.readUInt16BE(0),
    code: flags & 15,
    truncated: (flags & 0x0200) !== 0,
    question,
    answers,
    ttls,
    edns,
  }
}

export interface ReplyOptions {
  readonly code?: number
  readonly truncated?: boolean
  readonly addresses?: readonly string[]
}

/** The reply to `asked`. */
export const reply = (asked: Buffer, { code = 0, truncated = false, addresses = [] }: ReplyOptions): Buffer => {
  const [, end] = readName(asked, 12)
  const records = addresses.map((address) =>
    Buffer.concat([u16(0xc00c, TYPE.a, 1, 0, 60, 4), Buffer.from(address.split('.').map(Number))]),
  )
  const flags = 0x8180 | code | (truncated ? 0x0200 : 0)
  return Buffer.concat([
    asked.subarray(0, 2),
    u16(flags, 1, records.length, 0, 0),
    asked.subarray(12, end + 4),
    ...records,
  ])
}

export interface Upstream {
  /** Source ports and names of what was asked, in order. */
  readonly asked: { readonly port: number; readonly name: string; readonly stream: boolean; readonly id: number }[]
  close(): Promise<void>
}

/** A server in this namespace. `answer` gives what is sent back, one message each; none: silence. */
export const startUpstream = async (
  address: string,
  port: number,
  answer: (asked: Buffer, stream: boolean) => readonly Buffer[],
): Promise<Upstream> => {
  const asked: Upstream['asked'] = []
  const note = (message: Buffer, from: number, stream: boolean): readonly Buffer[] => {
    asked.push({ port: from, name: readName(message, 12)[0], stream, id: message.readUInt16BE(0) })
    return answer(message, stream)
  }
  const udp = createSocket('udp4')
  udp.on('message', (message, from) => {
    for (const item of note(message, from.port, false)) udp.send(item, from.port, from.address)
  })
  const tcp = createServer((socket) => {
    let received = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      for (const item of note(received.subarray(2), socket.remotePort ?? 0, true)) socket.write(framed(item))
    })
  })
  await new Promise<void>((resolve) => udp.bind(port, address, resolve))
  await new Promise<void>((resolve) => tcp.listen(port, address, resolve))
  return {
    asked,
    close: async () => {
      await new Promise<void>((resolve) => udp.close(() => resolve()))
      await new Promise<void>((resolve) => tcp.close(() => resolve()))
    },
  }
}
