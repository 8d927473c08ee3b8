import { change, toMilliseconds } from '../change.ts'
import { defineCommand } from '../command.ts'
import { flag, integer } from '../grammar.ts'

export const start = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Start the stopped containers of services and of what they depend on',
  options: {
    wait: flag('Return when every service runs, is healthy where that is checked, or has done its work'),
    waitTimeout: integer('SECONDS', 'Longest time to wait for services; exit code 5 when that is over'),
  },
  run: (context, { values: { dryRun, wait, waitTimeout }, positionals: services }) =>
    change(context, dryRun, (engine, target) =>
      engine.start(target, {
        ...{ services, timeoutMs: undefined, dryRun, wait },
        waitTimeoutMs: toMilliseconds(waitTimeout || undefined),
      }),
    ),
})
