import { change, toMilliseconds } from '../change.ts'
import { defineCommand } from '../command.ts'
import { flag, integer } from '../grammar.ts'

export const restart = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Stop services and start them again, as they are',
  options: {
    noDeps: flag('Without dependents that restart with them (depends_on: restart: true)'),
    timeout: integer('SECONDS', 'How long to wait before killing', 't'),
  },
  run: (context, { values: { timeout, dryRun, noDeps }, positionals: services }) =>
    change(context, dryRun, (engine, target) =>
      engine.restart(target, { services, timeoutMs: toMilliseconds(timeout), dryRun, noDeps }),
    ),
})
