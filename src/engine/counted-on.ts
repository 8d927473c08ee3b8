/** CountedOn: the containers that a plan in progress relies on, and whether they are still what it left them as. */
import type { Plan } from '../plan/plan.ts'
import { readContainer } from '../state/snapshot.ts'
import { overtaken } from './errors.ts'
import type { Session } from './session.ts'

interface Expectation {
  readonly name: string
  /** This command has started it, or has seen it run. */
  readonly isStarted: boolean
}

export class CountedOn {
  readonly #containers = new Map<string, Expectation>()

  /** Containers that exist and are still to be started or waited for. */
  constructor({ nodes }: Plan) {
    for (const { operation } of nodes) {
      if (operation.kind !== 'startContainer' && operation.kind !== 'waitContainer') continue
      if (operation.container !== undefined) this.add(operation.container, operation.name)
    }
  }

  add(id: string, name: string, isStarted = false): void {
    this.#containers.set(id, { name, isStarted })
  }

  /** It failed, and is gone. */
  forget(id: string): void {
    this.#containers.delete(id)
  }

  /** Throws EOVERTAKEN where another command has removed one, or stopped one that was to go on running. */
  check(session: Session, project: string): void {
    for (const [id, { name, isStarted }] of this.#containers) {
      const now = readContainer(session.roots, id, session.isAlive)
      if (now === undefined) throw overtaken(project, `${name} is gone`)
      if (isStarted && !now.alive && now.status?.stopped === true) throw overtaken(project, `${name} was stopped`)
    }
  }
}
