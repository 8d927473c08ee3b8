import { defineCommand } from '../command.ts'
import { formatProcesses } from '../render/processes.ts'
import { openReader } from '../runtime.ts'
import { findTarget, requireServices } from '../target.ts'

export const top = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Show the processes of services, with the pids of this machine',
  options: {},
  run: async (context, { positionals: services }) => {
    const engine = openReader(context)
    const target = await findTarget(context, engine)
    await requireServices(context, { target, rows: await engine.ps(target.name), services })
    context.stdout.write(formatProcesses(await engine.top(target.name, services), Date.now()))
    return 0
  },
})
