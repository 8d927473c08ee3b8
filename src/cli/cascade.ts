/** What the end of one container means for an attached `up`: whether all others are stopped, and which exit code it gives. */
import type { Project } from '../compose/project.ts'

export interface CascadeOptions {
  readonly abortOnContainerExit: boolean
  readonly abortOnContainerFailure: boolean
  /** Implies abortOnContainerExit, unless abortOnContainerFailure is given. */
  readonly exitCodeFrom: string | undefined
}

export interface Ended {
  readonly service: string
  readonly exitCode: number
}

/** Services that others wait for with service_completed_successfully: their success is no end. */
export const awaitedServices = (project: Project): ReadonlySet<string> =>
  new Set(
    Object.values(project.services).flatMap(({ dependsOn }) =>
      Object.entries(dependsOn).flatMap(([name, { condition }]) =>
        condition === 'service_completed_successfully' ? [name] : [],
      ),
    ),
  )

export class Cascade {
  /** Of the container that began the stop. */
  culprit: Ended | undefined
  #named: number | undefined
  readonly #options: CascadeOptions
  readonly #awaited: ReadonlySet<string>

  constructor(options: CascadeOptions, awaited: ReadonlySet<string>) {
    this.#options = options
    this.#awaited = awaited
  }

  /** true: this end stops everything. Ends that a restart policy follows count too, as in Compose. */
  add(ended: Ended): boolean {
    if (ended.service === this.#options.exitCodeFrom) this.#named ??= ended.exitCode
    if (this.culprit !== undefined || !this.#stopsAll(ended)) return false
    this.culprit = ended
    return true
  }

  /** The exit code of `up`, when nobody interrupted it. */
  get exitCode(): number {
    return this.#named ?? this.culprit?.exitCode ?? 0
  }

  #stopsAll({ service, exitCode }: Ended): boolean {
    const { abortOnContainerExit, abortOnContainerFailure, exitCodeFrom } = this.#options
    if (abortOnContainerFailure) return exitCode !== 0
    if (!abortOnContainerExit && exitCodeFrom === undefined) return false
    return exitCode !== 0 || !this.#awaited.has(service)
  }
}
