/**
 * Relay: this terminal, or these pipes, for a container's. On a terminal every key goes through (raw mode) but for the
 * detach keys, and the window's size follows; elsewhere input is passed on to its end and signals to the process.
 */
import type { Attached, ExitFacts } from '../index.ts'
import { parseSignal } from '../units/signals.ts'
import { DetachKeys } from './detach-keys.ts'
import { Sink } from './sink.ts'

export interface RelayOptions {
  /** Pass stdin on, where the container takes it. */
  readonly stdin: boolean
  readonly detachKeys: readonly number[]
  readonly forwardSignals: boolean
  /** The process is there for this command alone: it ends when nobody reads its output, and at the third Ctrl-C. */
  readonly isOwner: boolean
  /** Sees all output that is passed on. */
  readonly onOutput?: ((stream: 'stdout' | 'stderr', data: Buffer) => void) | undefined
}

export type RelayEnd = ({ readonly kind: 'exited' } & ExitFacts) | { readonly kind: 'detached' }

/** What docker forwards, less what is about this process alone: SIGCHLD, SIGPIPE, SIGTSTP, SIGWINCH. */
const FORWARDED: readonly NodeJS.Signals[] = [
  ...(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGCONT'] as const),
]
const INTERRUPTS_TO_KILL = 3
const SIGKILL = 9

export class Relay {
  readonly #attached: Attached
  readonly #options: RelayOptions
  readonly #sinks: { readonly stdout: Sink; readonly stderr: Sink }
  readonly #full = new Set<Sink>()
  readonly #undo: (() => void)[] = []
  #interrupts = 0
  #onDetach: (end: RelayEnd) => void = () => {}
  #end: Promise<RelayEnd> | undefined

  constructor(attached: Attached, options: RelayOptions) {
    this.#attached = attached
    this.#options = options
    this.#sinks = { stdout: this.#sink(1), stderr: this.#sink(2) }
  }

  /** From here on output is written, and the terminal is the container's. */
  start(): void {
    const stdin = this.#options.stdin && this.#attached.takesStdin
    const exit = this.#attached.listen((stream, data) => {
      this.#options.onOutput?.(stream, data)
      this.#sinks[stream].write(data)
    }, stdin)
    const detached = new Promise<RelayEnd>((resolve) => {
      this.#onDetach = resolve
    })
    this.#end = Promise.race([exit.then((facts): RelayEnd => ({ kind: 'exited', ...facts })), detached])
    this.#end.catch(() => {}) // whoever waits for it hears of it
    if (this.#attached.tty) this.#followSize()
    if (stdin) this.#passInput()
    if (this.#options.forwardSignals) this.#passSignals()
  }

  /** How it ended, when all output is out and the terminal is as it was. */
  async ended(): Promise<RelayEnd | undefined> {
    try {
      const end = await this.#end
      await Promise.all([this.#sinks.stdout.flush(), this.#sinks.stderr.flush()])
      return end
    } finally {
      this.close()
    }
  }

  close(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo()
    this.#attached.close()
  }

  #sink(fd: number): Sink {
    const sink: Sink = new Sink(fd, {
      onFull: () => {
        this.#full.add(sink)
        this.#attached.pause()
      },
      onDrained: () => {
        this.#full.delete(sink)
        if (this.#full.size === 0) this.#attached.resume()
      },
      // As a process whose pipe has no reader; a signal would not reach a PID 1 that has no handler for it.
      onBroken: () => {
        if (this.#options.isOwner && fd === 1) this.#attached.stop().catch(() => {})
      },
    })
    return sink
  }

  #followSize(): void {
    const resize = () => {
      const { rows, columns } = process.stdout
      if (rows > 0 && columns > 0) this.#attached.resize(rows, columns)
    }
    resize()
    process.stdout.on('resize', resize)
    this.#undo.push(() => process.stdout.off('resize', resize))
  }

  #passInput(): void {
    const { stdin } = process
    const keys = new DetachKeys(this.#attached.tty && stdin.isTTY ? this.#options.detachKeys : [])
    const onData = (typed: Buffer) => {
      const { data, isDetached } = keys.feed(typed)
      if (isDetached) return this.#onDetach({ kind: 'detached' })
      if (data.length === 0) return
      stdin.pause()
      this.#attached.send(data).then(
        () => stdin.resume(),
        () => {}, // it has ended
      )
    }
    const onEnd = () => this.#attached.endStdin()
    const isRaw = this.#attached.tty && stdin.isTTY
    if (isRaw) stdin.setRawMode(true)
    stdin.on('data', onData).on('end', onEnd).on('error', onEnd)
    this.#undo.push(() => {
      stdin.off('data', onData).off('end', onEnd).off('error', onEnd)
      if (isRaw) stdin.setRawMode(false)
      stdin.pause()
      stdin.unref?.()
    })
  }

  /** Ctrl-C of a raw terminal is a key; what comes here was sent to this process. */
  #passSignals(): void {
    const pass = (signal: NodeJS.Signals) => {
      if (signal === 'SIGINT') this.#interrupts += 1
      const kills = this.#options.isOwner && this.#interrupts >= INTERRUPTS_TO_KILL
      this.#attached.signal(kills ? SIGKILL : (parseSignal(signal) ?? 0)).catch(() => {})
    }
    for (const signal of FORWARDED) process.on(signal, pass)
    this.#undo.push(() => {
      for (const signal of FORWARDED) process.off(signal, pass)
    })
  }
}
