import { defineCommand } from '../command.ts'
import { flag } from '../grammar.ts'
import { loadProject } from '../load-project.ts'
import { throwFailures, transfer } from '../transfer.ts'
import { EXIT } from '../usage.ts'

export const push = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Push the images of services to their registries',
  options: {
    ignorePushFailures: flag('Push what can be pushed, and say what could not'),
    includeDeps: flag('The services that these depend on too'),
    quiet: flag('Without progress', 'q'),
  },
  examples: ['caisson push', 'caisson push web'],
  run: async (context, { values, positionals: services }) => {
    const project = await loadProject(context, { services, options: { dependencies: values.includeDeps } })
    const built = Object.values(project.services).filter(({ others }) => 'build' in others)
    const references = built.flatMap(({ image }) => image ?? [])
    if (references.length === 0) return 0
    const outcomes = await transfer(context, {
      quiet: values.quiet,
      act: (engine, options) => engine.push(references, options),
    })
    if (outcomes === undefined) return EXIT.interrupted
    if (!values.ignorePushFailures) throwFailures(outcomes)
    return 0
  },
})
