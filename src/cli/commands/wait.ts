import { change } from '../change.ts'
import { defineCommand } from '../command.ts'
import { flag, text } from '../grammar.ts'
import { openReader } from '../runtime.ts'
import { findTarget, loadTarget, requireServices } from '../target.ts'

const DOWN = { services: [], timeoutMs: undefined, volumes: false, removeOrphans: false } as const

export const wait = defineCommand({
  usage: 'SERVICE…',
  summary: 'Wait until the containers of services have ended',
  details:
    'The exit code is that of the last one to end, with --down-project of the first. One that has ended already counts with its code.',
  arity: [1, Number.POSITIVE_INFINITY],
  options: {
    downProject: flag('Take the project down when the first of them ends'),
    junit: text('FILE', 'Write how each of them has fared as a JUnit file'),
  },
  examples: ['caisson wait migrate', 'caisson wait --down-project tests'],
  run: async (context, { values, positionals: services }) => {
    const engine = openReader(context)
    const target = await findTarget(context, engine)
    await requireServices(context, { target, rows: await engine.ps(target.name), services })
    let last = 0
    try {
      for await (const { row, exitCode } of engine.wait(target.name, services)) {
        context.stdout.write(`container "${row.id}" exited with status code ${exitCode}\n`)
        last = exitCode
        if (values.downProject) break
      }
    } finally {
      if (values.junit !== undefined) {
        const judged = { engine, project: target.name, services: [...new Set(services)], failure: undefined }
        await (await import('../junit-file.ts')).writeJunit(context, values.junit, judged)
      }
    }
    if (!values.downProject) return last
    const { dryRun } = values
    await change(context, dryRun, (changer, whole) => changer.down(whole, { ...DOWN, dryRun }), loadTarget)
    return last
  },
})
