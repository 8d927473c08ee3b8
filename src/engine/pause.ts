/** Freezing and thawing a container, through its monitor. */
import { CaissonError } from '../errors.ts'
import { MonitorClient, MonitorFailure } from '../monitor/client.ts'
import { systemError } from '../native/failure.ts'
import type { Operation } from '../plan/plan.ts'
import { runPaths, type Roots } from '../state/layout.ts'

type Frozen = Extract<Operation, { kind: 'pauseContainer' | 'unpauseContainer' }>

/** Throws ESTATE where it is not in the state that this needs. */
export const freeze = async (roots: Roots, { kind, container: id, name }: Frozen): Promise<void> => {
  const monitor = await MonitorClient.connect(runPaths(roots, id).control)
  try {
    const { state } = await monitor.hello
    if (kind === 'pauseContainer' && state === 'paused')
      throw new CaissonError('ESTATE', `container ${name} is already paused`)
    if (kind === 'unpauseContainer' && state !== 'paused')
      throw new CaissonError('ESTATE', `container ${name} is not paused`)
    if (kind === 'pauseContainer' && state !== 'running')
      throw new CaissonError('ESTATE', `container ${name} is ${state}: wait until it runs`)
    await (kind === 'pauseContainer' ? monitor.pause() : monitor.unpause())
  } catch (error) {
    throw error instanceof MonitorFailure ? systemError(error.failure, error) : error
  } finally {
    monitor.close()
  }
}
