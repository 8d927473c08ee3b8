import { finishChange } from '../change.ts'
import { defineCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import type { Context } from '../context.ts'
import type { Engine, ProjectTarget } from '../../index.ts'
import { flag } from '../grammar.ts'
import { findTarget, requireServices } from '../target.ts'
import { openReader, requireRoot, withProgress } from '../runtime.ts'

const isUp = (state: string): boolean => ['running', 'paused', 'restarting'].includes(state)

const stoppedNames = async (engine: Engine, target: ProjectTarget, services: readonly string[]): Promise<string[]> =>
  (await engine.ps(target.name))
    .filter((row) => !row.oneOff && !isUp(row.state) && (services.length === 0 || services.includes(row.service)))
    .map((row) => row.name)

const reportNone = (context: Context, dryRun: boolean): number => {
  if (dryRun) context.stdout.write('Nothing to do.\n')
  else context.stderr.write('No stopped containers\n')
  return 0
}

export const rm = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Remove the stopped containers of services',
  options: {
    force: flag('Do not ask', 'f'),
    stop: flag('Stop them first', 's'),
    volumes: flag('Anonymous volumes too', 'v'),
  },
  run: async (context, { values, positionals: asked }) => {
    const { dryRun } = values
    if (!dryRun) requireRoot()
    const reader = openReader(context)
    const target = await findTarget(context, reader)
    const rows = await reader.ps(target.name)
    await requireServices(context, { target, rows, services: asked })
    const services = asked.filter((name) => rows.some((row) => row.service === name))
    if (asked.length > services.length && services.length === 0) return reportNone(context, dryRun)
    const change = { services, timeoutMs: undefined, dryRun }
    if (values.stop) await withProgress(context, (engine) => engine.stop(target, change))
    const names = await stoppedNames(reader, target, services)
    if (names.length === 0 && !dryRun) return reportNone(context, dryRun)
    if (names.length > 0) context.stderr.write(`Going to remove ${names.join(', ')}\n`)
    if (!values.force && !dryRun && !(await confirm('rm', 'Are you sure? [yN] '))) return 1
    const outcome = await withProgress(context, (engine) =>
      engine.remove(target, { ...change, volumes: values.volumes }),
    )
    return finishChange(context, outcome, dryRun)
  },
})
