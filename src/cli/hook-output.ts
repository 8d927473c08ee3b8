/** What hooks write while `up` shows the output of services, as Compose shows it: `web-1 ->  | line`. */
import type { ContainerRow, EngineEvent } from '../index.ts'
import type { Context } from './context.ts'
import { ciOf, harmless } from './render/ci.ts'
import { createPrefix } from './render/log-prefix.ts'
import { plainStyle } from './render/style.ts'

type Line = EngineEvent & { readonly kind: 'hookOutput' }

export interface HookOutputOptions {
  readonly project: string
  /** Services whose output is shown. */
  readonly shown: readonly string[]
  readonly noLogPrefix: boolean
  readonly noColor: boolean
}

export class HookOutput {
  readonly #context: Context
  readonly #options: HookOutputOptions
  /** Until it is opened. */
  #waiting: Line[] = []
  #write: ((line: Line) => void) | undefined

  constructor(context: Context, options: HookOutputOptions) {
    this.#context = context
    this.#options = options
  }

  add(line: Line): void {
    if (!this.#options.shown.includes(line.container.service)) return
    if (this.#write === undefined) this.#waiting.push(line)
    else this.#write(line)
  }

  /** The screen belongs to the output of services from now on, of these containers to begin with. */
  open(rows: readonly ContainerRow[]): void {
    const { stdout, env } = this.#context
    const { project, noLogPrefix, noColor } = this.#options
    const prefix = createPrefix({ project, sources: rows, style: noColor ? plainStyle : stdout.style })
    this.#write = ({ container, line }) => {
      const before = noLogPrefix ? '' : prefix({ ...container, name: `${container.name} ->` })
      stdout.write(harmless(ciOf(env), Buffer.from(`${before}${line}\n`)))
    }
    for (const line of this.#waiting.splice(0)) this.#write(line)
  }

  close(): void {
    this.#write = () => {}
  }
}
