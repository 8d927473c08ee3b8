import type { Project, Service } from '../../compose/project.ts'
import { formatReference, parseReference } from '../../oci/reference.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { accepted, choice, flag } from '../grammar.ts'
import { loadProject } from '../load-project.ts'
import { openReader } from '../runtime.ts'
import { throwFailures, transfer } from '../transfer.ts'
import { EXIT } from '../usage.ts'

interface Chosen {
  readonly service: string
  readonly reference: string
  readonly platform: string | undefined
}

/** Those whose image is neither built nor used only as it is here. */
const isPulled = ({ image, pullPolicy }: Service): boolean =>
  image !== undefined && pullPolicy !== 'never' && pullPolicy !== 'build'

/** Images of the services, each once. */
const chosenOf = (project: Project): readonly Chosen[] =>
  Object.values(project.services)
    .filter(isPulled)
    .map(({ name, image = '', platform }) => ({ service: name, reference: image, platform }))

/** With policy missing, and `pull_policy: missing`, what is here is not asked for. */
const stillMissing = async (
  context: Context,
  project: Project,
  chosen: readonly Chosen[],
  policy: 'default' | 'missing' | 'always',
): Promise<readonly Chosen[]> => {
  const here = new Set((await openReader(context).images()).map(({ reference }) => reference))
  const isWanted = ({ service, reference }: Chosen): boolean =>
    (policy === 'default' ? project.services[service]?.pullPolicy : policy) !== 'missing' ||
    !here.has(formatReference(parseReference(reference)))
  return chosen.filter(isWanted)
}

export const pull = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Pull the images of services from their registries',
  details: 'Layers that are here are not fetched again, and what a broken connection left is continued.',
  options: {
    ignoreBuildable: flag('Without services that are built'),
    ignorePullFailures: flag('Pull what can be pulled, and say what could not'),
    includeDeps: flag('The services that these depend on too'),
    noParallel: accepted(flag('')),
    parallel: accepted(flag('')),
    policy: choice(['default', 'missing', 'always'], 'default', 'missing: only images that are not here'),
    quiet: flag('Without progress', 'q'),
  },
  examples: ['caisson pull', 'caisson pull --policy missing web'],
  run: async (context, { values, positionals: services }) => {
    const project = await loadProject(context, { services, options: { dependencies: values.includeDeps } })
    const all = chosenOf(project).filter(
      ({ service }) => !(values.ignoreBuildable && 'build' in (project.services[service]?.others ?? {})),
    )
    const chosen = await stillMissing(context, project, all, values.policy)
    if (chosen.length === 0) return 0
    const outcomes = await transfer(context, {
      quiet: values.quiet,
      act: (engine, options) => engine.pull(chosen, options),
    })
    if (outcomes === undefined) return EXIT.interrupted
    if (!values.ignorePullFailures) throwFailures(outcomes)
    return 0
  },
})
