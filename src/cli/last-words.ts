/** What `up -d` says of services that have ended already, where Compose is silent: how, and the last lines of their logs. */
import type { ContainerRow, Engine } from '../index.ts'
import type { Context } from './context.ts'
import { openReader } from './runtime.ts'

const LINES = 20

const howItEnded = ({ exitCode, signal, oomKilled }: ContainerRow): string => {
  if (oomKilled) return 'was killed for lack of memory'
  return signal === 0 ? `exited with code ${exitCode}` : `was killed by signal ${signal}`
}

const lastLines = async (
  engine: Engine,
  { project, service, number }: ContainerRow,
  prefix: string,
): Promise<string> => {
  const parts: Buffer[] = []
  const options = { services: [service], index: number, follow: false, since: '', until: '', tail: LINES }
  const items = engine.logs(project, {
    ...options,
    ...{ timestamps: false, separate: false, grep: undefined, signal: undefined, silent: [], expecting: undefined },
    prefix: () => prefix,
  })
  for await (const item of items) if (item.kind === 'output') parts.push(item.stdout)
  return Buffer.concat(parts).toString()
}

/** Writes to stderr; no line for services that run or have ended well. */
export const reportEnded = async (context: Context, project: string): Promise<void> => {
  const engine = openReader(context)
  const { stderr } = context
  const rows = await engine.ps(project)
  for (const row of rows.filter(({ state, exitCode }) => state === 'exited' && exitCode !== 0)) {
    stderr.write(`${stderr.style('yellow', 'warning:')} service ${row.service}: ${row.name} ${howItEnded(row)}\n`)
    stderr.write(await lastLines(engine, row, `  ${stderr.style('dim', '|')} `))
  }
}
