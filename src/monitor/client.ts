/** Client of a monitor's control socket, and of the start-up socket that a monitor is born with. */
import { closeSync, constants, openSync } from 'node:fs'
import { connect as connectSocket, Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { CaissonError, type SystemFailure } from '../errors.ts'
import { encodeFrame, FrameReader, PayloadReader, u32Fields } from './frames.ts'
import { FRAME, HEALTH, MAX_PAYLOAD_BYTES, PROTOCOL_VERSION, STATE } from './protocol.ts'

/** What a waiter looks at. */
export interface Condition {
  readonly state: keyof typeof STATE
  readonly health: keyof typeof HEALTH
  /** By the restart policy. */
  readonly restarts: number
  /** Of the last run of the process that ended; 0: none has. */
  readonly exitCode: number
}

export interface Hello extends Condition {
  readonly version: number
  /** Host pid of the init; 0 if there is none yet. */
  readonly pid: number
}

/** How a run has ended. */
export interface Exit {
  /** 128 + signal where a signal ended it. */
  readonly code: number
  /** 0: none. */
  readonly signal: number
  readonly oomKilled: boolean
}

export interface AttachOptions {
  /** The process belongs to this client: it waits for us, and its stdin ends with us. */
  readonly isOwner?: boolean
  /** `sendStdin` is going to be used. */
  readonly stdin: boolean
  /** Output from now on. Bytes as written; a terminal has only stdout. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', data: Buffer) => void
}

/** A start that failed on the monitor's side: `failure` is what the kernel said. The engine makes a SystemError of it. */
export class MonitorFailure extends CaissonError {
  readonly failure: SystemFailure
  constructor(failure: SystemFailure) {
    super('EMONITOR', `${failure.step}: ${failure.syscall} failed with errno ${failure.errno}`)
    this.name = 'MonitorFailure'
    this.failure = failure
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

/** A rejection that nobody waits for is no crash: it is kept for whoever asks later. */
const defer = <T>(): Deferred<T> => {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.catch(() => {})
  return { promise, ...(settle as Pick<Deferred<T>, 'resolve' | 'reject'>) }
}

const nameOf = <Names extends Readonly<Record<string, number>>>(names: Names, value: number, otherwise: keyof Names) =>
  (Object.keys(names) as (keyof Names)[]).find((name) => names[name] === value) ?? otherwise

const readCondition = (fields: PayloadReader, state: number): Condition => ({
  state: nameOf(STATE, state, 'exited'),
  health: nameOf(HEALTH, fields.u32(), 'none'),
  restarts: fields.u32(),
  exitCode: fields.u32(),
})

const otherVersion = (version: number): CaissonError => {
  const message = `the monitor speaks version ${version} of the control protocol, not ${PROTOCOL_VERSION}`
  return new CaissonError('EMONITORVERSION', message, { hint: 'recreate the container with this version' })
}

/** Throws EMONITORVERSION; what follows the version may have other fields then. */
const readHello = (payload: Buffer): Hello => {
  const fields = new PayloadReader(payload)
  const version = fields.u32()
  if (version !== PROTOCOL_VERSION) throw otherVersion(version)
  fields.u32()
  const state = fields.u32()
  const pid = fields.u32()
  return { version, pid, ...readCondition(fields, state) }
}

const readExit = (payload: Buffer): Exit => {
  const fields = new PayloadReader(payload)
  return { code: fields.u32(), signal: fields.u32(), oomKilled: fields.u32() === 1 }
}

const readFailure = (payload: Buffer): SystemFailure => {
  const fields = new PayloadReader(payload)
  const [step, index, syscall, errno, path] = [
    fields.text(),
    fields.u32(),
    fields.text(),
    fields.u32(),
    fields.text(),
  ] as const
  return { step, index, syscall, errno, ...(path === '' ? {} : { path }) }
}

const gone = (cause?: unknown): CaissonError =>
  new CaissonError('EMONITORGONE', 'the monitor of the container has ended', cause === undefined ? {} : { cause })

/** Longest name that a socket address takes. */
const MAX_SOCKET_PATH_BYTES = 107
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY

/**
 * One connection. Every promise is rejected with EMONITORGONE once the monitor has gone (then the exit file tells how the
 * run ended), or with a MonitorFailure where it said why.
 */
export class MonitorClient {
  /** The monitor's first words. */
  readonly hello: Promise<Hello>
  /** Start-up socket only: the container waits at the barrier. Its init's host pid. */
  readonly created: Promise<number>
  /** The connection has ended, for whatever reason. Never rejects. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #frames = new FrameReader()
  readonly #hello = defer<Hello>()
  readonly #created = defer<number>()
  readonly #exit = defer<Exit>()
  /** Requests whose answer (`ok`, `running`, `failure`) is to come, in order. */
  readonly #answers: Deferred<number>[] = []
  #onOutput: AttachOptions['onOutput']
  #onChange: (condition: Condition) => void = () => {}
  #ended: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    this.hello = this.#hello.promise
    this.created = this.#created.promise
    socket.on('data', (data: Buffer) => this.#receive(data))
    socket.on('error', (error) => this.#end(gone(error)))
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end(gone())
        resolve()
      })
    })
  }

  /** Connects to `path`, of any length. Rejects with EMONITORGONE when nobody listens there. */
  static async connect(path: string): Promise<MonitorClient> {
    let directory: number | undefined
    try {
      if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) directory = openSync(dirname(path), DIRECTORY)
      const socket = connectSocket(directory === undefined ? path : `/proc/self/fd/${directory}/${basename(path)}`)
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
      return new MonitorClient(socket)
    } catch (cause) {
      throw gone(cause)
    } finally {
      if (directory !== undefined) closeSync(directory)
    }
  }

  /** Takes over a connected socket, such as our end of the start-up pair. */
  static fromFd(fd: number): MonitorClient {
    return new MonitorClient(new Socket({ fd, readable: true, writable: true }))
  }

  /** The container outlives this connection. */
  commit(): void {
    this.#send(FRAME.commit)
  }

  /** Lets the container pass the barrier. Host pid of its init once execve has succeeded. */
  go(): Promise<number> {
    return this.#ask(FRAME.go)
  }

  /** How the run ends. By then nothing of it is left. The monitor tells everybody: nothing has to be sent. */
  wait(): Promise<Exit> {
    return this.#exit.promise
  }

  async signal(signal: number): Promise<void> {
    await this.#ask(FRAME.signal, u32Fields(signal))
  }

  /** Every later change of what `hello` said. Called again only for news; the end is `wait`. */
  watch(onChange: (condition: Condition) => void): void {
    this.#onChange = onChange
  }

  async pause(): Promise<void> {
    await this.#ask(FRAME.pause)
  }

  async unpause(): Promise<void> {
    await this.#ask(FRAME.unpause)
  }

  /** Stop signal, grace, SIGKILL; what is left out is as planned. */
  stop(options: { readonly signal?: number; readonly graceMs?: number } = {}): Promise<Exit> {
    this.#send(FRAME.stop, u32Fields(options.signal ?? 0, options.graceMs ?? 0xffffffff))
    return this.#exit.promise
  }

  /** From now on output comes in; the promise is that of `wait`, and is settled after the last output. */
  attach(options: AttachOptions): Promise<Exit> {
    this.#onOutput = options.onOutput
    const bits = (options.stdin ? 1 : 0) | (options.onOutput === undefined ? 0 : 2) | (options.isOwner ? 4 | 8 : 0)
    this.#send(FRAME.attach, u32Fields(bits))
    return this.#exit.promise
  }

  /** Resolves when the socket has taken it, which it does not while the container does not read. */
  async sendStdin(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += MAX_PAYLOAD_BYTES) {
      await this.#sendAndWait(FRAME.stdin, data.subarray(at, at + MAX_PAYLOAD_BYTES))
    }
  }

  /** End of file for the container's stdin. */
  endStdin(): void {
    this.#send(FRAME.stdin)
  }

  resize(rows: number, columns: number): void {
    this.#send(FRAME.resize, u32Fields(rows, columns))
  }

  /** Stops reading, so that a slow consumer does not fill this process. Unless owner, we are cut off 2 s and 1 MiB later. */
  pauseReading(): void {
    this.#socket.pause()
  }

  resumeReading(): void {
    this.#socket.resume()
  }

  /** Before `commit`, this makes the monitor undo everything. */
  close(): void {
    this.#socket.destroy()
  }

  #send(type: number, payload?: Uint8Array): void {
    if (this.#ended === undefined) this.#socket.write(encodeFrame(type, payload))
  }

  #sendAndWait(type: number, payload: Uint8Array): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#socket.write(encodeFrame(type, payload), (error) => (error ? reject(gone(error)) : resolve()))
    })
  }

  #ask(type: number, payload?: Uint8Array): Promise<number> {
    const answer = defer<number>()
    if (this.#ended !== undefined) answer.reject(this.#ended)
    else this.#answers.push(answer)
    this.#send(type, payload)
    return answer.promise
  }

  #receive(data: Buffer): void {
    try {
      for (const { type, payload } of this.#frames.feed(data)) this.#handlers[type]?.(payload)
    } catch (error) {
      this.#end(error as Error)
      this.#socket.destroy()
    }
  }

  /** What each frame does; others are for native clients, or from a later version. */
  readonly #handlers: Readonly<Record<number, (payload: Buffer) => void>> = {
    [FRAME.hello]: (payload) => this.#hello.resolve(readHello(payload)),
    [FRAME.created]: (payload) => this.#created.resolve(new PayloadReader(payload).u32()),
    [FRAME.running]: (payload) => this.#answers.shift()?.resolve(new PayloadReader(payload).u32()),
    [FRAME.changed]: (payload) => {
      const fields = new PayloadReader(payload)
      this.#onChange(readCondition(fields, fields.u32()))
    },
    [FRAME.ok]: () => this.#answers.shift()?.resolve(0),
    [FRAME.exited]: (payload) => this.#exit.resolve(readExit(payload)),
    [FRAME.failure]: (payload) => this.#fail(new MonitorFailure(readFailure(payload))),
    [FRAME.stdout]: (payload) => this.#onOutput?.('stdout', payload),
    [FRAME.stderr]: (payload) => this.#onOutput?.('stderr', payload),
  }

  /** The answer to a request, or, where none waits, the end of the run. */
  #fail(failure: MonitorFailure): void {
    const answer = this.#answers.shift()
    if (answer === undefined) this.#end(failure)
    else {
      answer.reject(failure)
      this.#created.reject(failure)
    }
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const waiting of [this.#hello, this.#created, this.#exit, ...this.#answers.splice(0)])
      waiting.reject(this.#ended)
  }
}
