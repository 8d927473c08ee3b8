import { formatPlan } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { reportError } from '../render/error.ts'
import { requireRoot, withProgress } from '../runtime.ts'

export const boot = defineCommand({
  usage: '',
  summary: 'Start the services of all projects that a reboot ended and whose restart policy asks for it',
  details:
    'These are always, and unless-stopped where no command stopped the service. A unit for systemd: caisson doctor --systemd-unit',
  arity: [0, 0],
  options: {},
  run: async (context, { values: { dryRun } }) => {
    if (!dryRun) requireRoot()
    const failures: unknown[] = []
    await withProgress(context, async (engine) => {
      for await (const { project, plan, error } of engine.boot(dryRun)) {
        if (error !== undefined) failures.push(error)
        if (dryRun && plan !== undefined && plan.nodes.length > 0)
          context.stdout.write(`${project}:\n${formatPlan(plan)}`)
      }
    })
    for (const failure of failures) reportError(context, failure)
    return failures.length === 0 ? 0 : 1
  },
})
