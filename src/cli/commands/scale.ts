import type { UpOptions } from '../../index.ts'
import { finishChange, ignoresOrphans } from '../change.ts'
import { defineCommand } from '../command.ts'
import { flag } from '../grammar.ts'
import { loadProject } from '../load-project.ts'
import { requireRoot, withProgress } from '../runtime.ts'
import { UsageError } from '../usage.ts'

export const readScale = (words: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    words.map((word) => {
      const [, service, count] = /^([\w.-]+)=(\d{1,5})$/.exec(word) ?? []
      if (service === undefined) throw new UsageError(`scale takes SERVICE=N, not "${word}"`)
      return [service, Number(count)]
    }),
  )

/** As `up -d --no-recreate --scale`, for the services named. */
const NOTHING_ELSE = {
  ...{ forceRecreate: false, noRecreate: true, alwaysRecreateDeps: false, renewAnonymousVolumes: false },
  ...{
    removeOrphans: false,
    noStart: false,
    timeoutMs: undefined,
    pull: undefined,
    quietPull: false,
    wait: false,
    waitTimeoutMs: undefined,
  },
  ...{ rerun: [], attached: false },
} satisfies Partial<UpOptions>

export const scale = defineCommand({
  usage: 'SERVICE=N…',
  summary: 'Set how many containers services have; those that stay are left as they are',
  arity: [1, Number.POSITIVE_INFINITY],
  options: { noDeps: flag('Without the services that these depend on') },
  examples: ['caisson scale web=3 worker=0'],
  run: async (context, { values: { dryRun, noDeps }, positionals }) => {
    const wanted = readScale(positionals)
    const services = Object.keys(wanted)
    if (!dryRun) requireRoot()
    const project = await loadProject(context, { services, options: { dependencies: !noDeps } })
    const options = {
      ...NOTHING_ELSE,
      ...{ services, noDeps, scale: wanted, dryRun },
      ...{ ignoreOrphans: ignoresOrphans(context), lenient: context.globals.lenient },
    }
    const outcome = await withProgress(context, (engine) => engine.up(project, options))
    return finishChange(context, outcome, dryRun)
  },
})
