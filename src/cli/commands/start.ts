import { change } from '../change.ts'
import { defineCommand } from '../command.ts'
import { accepted, flag, integer } from '../grammar.ts'

export const start = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Start the stopped containers of services',
  options: {
    wait: accepted(flag('')),
    waitTimeout: accepted(integer('SECONDS', '')),
  },
  run: (context, { values: { dryRun }, positionals: services }) =>
    change(context, dryRun, (engine, target) => engine.start(target, { services, timeoutMs: undefined, dryRun })),
})
