/** A program on a terminal of its own, by way of script(1) of util-linux. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export const hasTerminal = spawnSync('script', ['--version']).status === 0
export const NO_TERMINAL = 'needs script(1) of util-linux'

export interface TerminalOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
  readonly rows?: number
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

const ESCAPES = /\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[=>])/g

export class Terminal {
  readonly #child: ChildProcess
  #output = ''
  readonly #ended: Promise<number>

  constructor(command: readonly string[], { cwd, env = {}, columns = 100, rows = 30 }: TerminalOptions) {
    const line = `stty cols ${columns} rows ${rows}; exec ${command.map(quote).join(' ')}`
    const { PATH = '/usr/bin:/bin' } = process.env
    this.#child = spawn('script', ['-qefc', line, '/dev/null'], {
      cwd,
      env: { PATH, HOME: cwd, TERM: 'xterm', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#output += data.toString()
    })
    this.#ended = new Promise((resolve) => this.#child.on('close', (code) => resolve(code ?? -1)))
  }

  /** What was printed, escape sequences included. */
  get raw(): string {
    return this.#output
  }

  /** What was printed, as text with plain line ends. */
  get text(): string {
    return this.#output.replaceAll(ESCAPES, '').replaceAll('\r\n', '\n')
  }

  /** Waits until the text has it; throws with the text when it does not within `limitMs`. */
  async shows(pattern: RegExp, limitMs = 15_000): Promise<void> {
    const deadline = Date.now() + limitMs
    while (!pattern.test(this.text)) {
      if (Date.now() > deadline) throw new Error(`${pattern} does not show:\n${this.text}`)
      await sleep(20)
    }
  }

  /** As if typed; `\x03` is Ctrl-C. */
  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Exit code of the program. */
  get ended(): Promise<number> {
    return this.#ended
  }
}
