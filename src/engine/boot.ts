/** boot: after a restart of the machine, brings back what the restart policies ask for. */
import { reconcileBoot } from '../plan/boot.ts'
import { looksAlive, readContainers } from '../state/snapshot.ts'
import { apply } from './change.ts'
import type { EngineOptions, ProjectBoot } from './types.ts'

/** Project by project; what goes wrong in one is no matter of the others. */
export async function* boot(engine: EngineOptions, dryRun: boolean): AsyncGenerator<ProjectBoot> {
  const { containers } = readContainers(engine, undefined, looksAlive)
  for (const name of [...new Set(containers.map(({ record }) => record.project))].sort()) {
    try {
      const target = { name, project: undefined }
      const { plan } = await apply(engine, target, dryRun, (observed) => reconcileBoot(name, observed))
      yield { project: name, plan, error: undefined }
    } catch (error) {
      yield { project: name, plan: undefined, error }
    }
  }
}
