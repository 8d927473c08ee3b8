import { change } from '../change.ts'
import { defineCommand } from '../command.ts'

export const pause = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Freeze all processes of services',
  options: {},
  run: (context, { values: { dryRun }, positionals: services }) =>
    change(context, dryRun, (engine, target) => engine.pause(target, { services, timeoutMs: undefined, dryRun })),
})

export const unpause = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Let the processes of frozen services go on',
  options: {},
  run: (context, { values: { dryRun }, positionals: services }) =>
    change(context, dryRun, (engine, target) => engine.unpause(target, { services, timeoutMs: undefined, dryRun })),
})
