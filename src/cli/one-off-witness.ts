/** What is seen of a one-off container from the terminal that it was run at: with `--rm` nothing else is left of it. */
import type { RelayEnd } from './relay.ts'
import { Tail } from './tail.ts'
import { errorsOf, howItEnded, LINES, NOTHING, type Verdict } from './verdicts.ts'

export class OneOffWitness {
  readonly #service: string
  readonly #tails = { stdout: new Tail(LINES), stderr: new Tail(LINES) }
  #container = ''
  #startedMs = 0
  #seconds = 0
  #end: RelayEnd | undefined

  constructor(service: string) {
    this.#service = service
  }

  readonly onOutput = (stream: 'stdout' | 'stderr', data: Buffer): void => this.#tails[stream].add(data)

  starts(container: string): void {
    this.#container = container
    this.#startedMs = performance.now()
  }

  ends(end: RelayEnd | undefined): void {
    this.#end = end
    this.#seconds = (performance.now() - this.#startedMs) / 1000
  }

  /** `failure`: what `run` threw, if anything. */
  verdict(failure: unknown): Verdict {
    return {
      ...{ ...NOTHING, service: this.#service, container: this.#container, seconds: this.#seconds },
      ...{ stdout: this.#tails.stdout.lines, stderr: this.#tails.stderr.lines },
      ...this.#outcome(failure),
    }
  }

  #outcome(failure: unknown): Pick<Verdict, 'state' | 'message'> & Partial<Verdict> {
    if (failure !== undefined) return this.#notRun(failure)
    if (this.#end?.kind !== 'exited') return { state: 'passed', message: '' } // it goes on without us
    const { code, signal, oomKilled } = this.#end
    const facts = { exitCode: code, signal, oomKilled }
    if (code === 0) return { state: 'passed', message: '', ...facts }
    return { state: 'failed', message: `${this.#container} ${howItEnded(facts)}`, ...facts }
  }

  /** Its own fault, or that of what it depends on. */
  #notRun(failure: unknown): Pick<Verdict, 'state' | 'message'> {
    const errors = errorsOf(failure)
    if (errors.length > 0 && errors.every(({ service }) => service !== this.#service))
      return { state: 'skipped', message: 'it was not started' }
    return { state: 'failed', message: failure instanceof Error ? failure.message : String(failure) }
  }
}
