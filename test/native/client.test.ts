import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MonitorClient, MonitorFailure } from '../../src/monitor/client.ts'
import { encodeFrame, FrameReader, u32Fields } from '../../src/monitor/frames.ts'
import { FRAME, MAX_PAYLOAD_BYTES, MONITOR_FD, PROTOCOL_VERSION, STATE } from '../../src/monitor/protocol.ts'
import { loadNative } from '../../src/native/load.ts'

const scratch = mkdtempSync(join(tmpdir(), 'caisson-client-'))
test.after(() => rmSync(scratch, { recursive: true }))

const text = (value: string): Buffer => Buffer.concat([u32Fields(Buffer.byteLength(value)), Buffer.from(value)])
const hello = encodeFrame(FRAME.hello, u32Fields(PROTOCOL_VERSION, 0, STATE.running, 42, 0, 0, 0))
const failure = encodeFrame(
  FRAME.failure,
  Buffer.concat([text('signal'), u32Fields(0), text('kill'), u32Fields(3), text('')]),
)

let servers = 0
/** A monitor that says `words` to each client, and then whatever `answer` makes of a request's type. */
const serve = async (
  words: Buffer,
  answer: (type: number) => Buffer | undefined = () => undefined,
): Promise<[string, Server]> => {
  const path = join(scratch, `${servers++}.sock`)
  const server = createServer((socket: Socket) => {
    const frames = new FrameReader()
    socket.write(words)
    socket.on('error', () => {})
    socket.on('data', (data: Buffer) => {
      for (const { type } of frames.feed(data)) {
        const bytes = answer(type)
        if (bytes === undefined) socket.destroy()
        else socket.write(bytes)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return [path, server]
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'no error'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('the numbers of protocol.h are those of protocol.ts', () => {
  const header = readFileSync(join(import.meta.dirname, '../../native/core/protocol.h'), 'utf8')
  const names = {
    stdin: 'stdin_data',
    stdout: 'stdout_data',
    stderr: 'stderr_data',
    pidfdReply: 'pidfd_reply',
    networkReply: 'network_reply',
  } as const
  const frames = /enum class FrameType[^{]*\{([^}]*)\}/.exec(header)?.[1] ?? ''
  const native = Object.fromEntries(
    [...frames.matchAll(/(\w+) = (\d+)/g)].map(([, name, number]) => [name, Number(number)]),
  )
  const ours = Object.fromEntries(
    Object.entries(FRAME).map(([name, number]) => [names[name as keyof typeof names] ?? name, number]),
  )
  assert.equal(native, ours)
  for (const [name, value] of Object.entries(STATE)) assert.match(header, new RegExp(`\\b${name} = ${value}\\b`))
  for (const [name, value] of Object.entries(MONITOR_FD))
    assert.match(
      header,
      new RegExp(`\\b${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)} = ${value}\\b`),
    )
  assert.match(header, new RegExp(`PROTOCOL_VERSION = ${PROTOCOL_VERSION};`))
  assert.match(header, new RegExp(`MAX_PAYLOAD_BYTES = ${MAX_PAYLOAD_BYTES};`))
})

test('frames come out whole, whatever the pieces they arrive in', () => {
  const stream = Buffer.concat([hello, failure, encodeFrame(FRAME.ok)])
  for (const size of [1, 3, 7, 8, 9, stream.length]) {
    const reader = new FrameReader()
    const types: number[] = []
    for (let at = 0; at < stream.length; at += size)
      for (const { type } of reader.feed(stream.subarray(at, at + size))) types.push(type)
    assert.equal(types, [FRAME.hello, FRAME.failure, FRAME.ok])
  }
})

test('a frame that is too long is an error at once', async () => {
  const [path, server] = await serve(Buffer.from([255, 255, 255, 0, 101, 0, 0, 0]))
  const client = await MonitorClient.connect(path)
  assert.is(await codeOf(client.hello), 'EPROTO')
  await client.closed
  server.close()
})

test('answers belong to requests in their order, and a failure to its own', async () => {
  let signals = 0
  const running = encodeFrame(FRAME.running, u32Fields(42))
  const [path, server] = await serve(hello, (type) => {
    if (type === FRAME.go) return running
    signals++
    return signals === 1 ? failure : encodeFrame(FRAME.ok)
  })
  const client = await MonitorClient.connect(path)
  const [first, second, third] = await Promise.all([
    client.signal(1).catch((error) => error),
    client.signal(2),
    client.go(),
  ])
  assert.instance(first, MonitorFailure)
  assert.equal(first.failure, { step: 'signal', index: 0, syscall: 'kill', errno: 3 })
  assert.is(second, undefined)
  assert.is(third, 42)
  client.close()
  server.close()
})

test('a monitor that goes away fails everything that waits, now and later', async () => {
  const [path, server] = await serve(hello)
  const client = await MonitorClient.connect(path)
  assert.equal(await client.hello, {
    version: PROTOCOL_VERSION,
    state: 'running',
    pid: 42,
    health: 'none',
    restarts: 0,
    exitCode: 0,
  })
  assert.equal(await Promise.all([codeOf(client.wait()), codeOf(client.signal(1))]), ['EMONITORGONE', 'EMONITORGONE'])
  await client.closed
  assert.is(await codeOf(client.signal(1)), 'EMONITORGONE')
  assert.is(await codeOf(client.sendStdin(Buffer.from('x'))), 'EMONITORGONE')
  server.close()
})

test('nobody there is a monitor that has gone', async () => {
  assert.is(await codeOf(MonitorClient.connect(join(scratch, 'nothing.sock'))), 'EMONITORGONE')
  assert.is(await codeOf(MonitorClient.connect(join(scratch, 'x'.repeat(120), 'nothing.sock'))), 'EMONITORGONE')
})

test('another version of the protocol is refused by name', async () => {
  const [path, server] = await serve(encodeFrame(FRAME.hello, u32Fields(99, 0, 2, 42)))
  assert.is(await codeOf((await MonitorClient.connect(path)).hello), 'EMONITORVERSION')
  server.close()
})

test('a path may be longer than a socket address', async () => {
  const directory = join(scratch, 'a'.repeat(60), 'b'.repeat(60))
  mkdirSync(directory, { recursive: true })
  const server = createServer((socket) => socket.write(hello))
  const before = process.cwd()
  process.chdir(directory)
  await new Promise<void>((resolve) => server.listen('control.sock', resolve))
  process.chdir(before)
  const client = await MonitorClient.connect(join(directory, 'control.sock'))
  assert.is((await client.hello).pid, 42)
  client.close()
  process.chdir(directory)
  server.close()
  process.chdir(before)
})

test('an inherited descriptor works like a path', async () => {
  const [ours, theirs] = loadNative().socketPair()
  const [client, other] = [MonitorClient.fromFd(ours), MonitorClient.fromFd(theirs)]
  client.commit()
  other.close()
  assert.is(await codeOf(client.hello), 'EMONITORGONE')
})

test.run()
