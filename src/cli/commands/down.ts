import { change, removesOrphans, toMilliseconds } from '../change.ts'
import { defineCommand } from '../command.ts'
import { flag, integer, refused, text } from '../grammar.ts'
import { loadTarget } from '../target.ts'

export const down = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Stop and remove the containers of a project, and its networks',
  options: {
    removeOrphans: flag('Containers of services that are no longer in the Compose file too'),
    rmi: refused(text('local|all', 'Remove images too'), 'remove images with caisson image rm'),
    timeout: integer('SECONDS', 'How long to wait before killing', 't'),
    volumes: flag('Named volumes of the Compose file and anonymous ones too', 'v'),
  },
  examples: ['caisson down', 'caisson down -v --remove-orphans'],
  run: (context, { values, positionals: services }) =>
    change(
      context,
      values.dryRun,
      (engine, target) =>
        engine.down(target, {
          services,
          timeoutMs: toMilliseconds(values.timeout),
          dryRun: values.dryRun,
          volumes: values.volumes,
          removeOrphans: removesOrphans(context, values.removeOrphans),
        }),
      loadTarget,
    ),
})
