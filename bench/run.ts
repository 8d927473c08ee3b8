/**
 * `npm run bench [-- TOPIC …]`: the budgets of the design, each beside a rival and the physical limit, in one run. As root.
 * CAISSON_BENCH_PEERS names a program that runs a command among the rivals; without it their columns are empty.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configCommands, quickCommands, upAndDown } from './commands.ts'
import { health } from './health.ts'
import { images } from './images.ts'
import { logs, memory, names, startAndExec } from './inside.ts'
import { formatRows, type Row } from './measure.ts'
import { ports } from './ports.ts'
import { prepare, remove } from './world.ts'

const RUNS = Number(process.env.CAISSON_BENCH_RUNS ?? 15)
const topics: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  quick: () => quickCommands(RUNS),
  config: () => configCommands(RUNS),
  up: () => upAndDown(RUNS),
  start: () => startAndExec(RUNS),
  memory,
  health,
  logs,
  names,
  ports,
  images,
}

/** Puts the table between the markers of bench/README.md. */
const publish = (table: string): void => {
  const path = join(import.meta.dirname, 'README.md')
  const [head = '', rest = ''] = readFileSync(path, 'utf8').split('<!-- table -->\n')
  const tail = rest.split('<!-- /table -->\n')[1] ?? ''
  writeFileSync(path, `${head}<!-- table -->\n${table}\n<!-- /table -->\n${tail}`)
}

const main = async (): Promise<void> => {
  delete process.env.NODE_EXTRA_CA_CERTS
  const asked = process.argv.slice(2)
  const rows: Row[] = []
  prepare()
  for (const [name, measure] of Object.entries(topics)) {
    if (asked.length > 0 && !asked.includes(name)) continue
    process.stderr.write(`bench: ${name}\n`)
    const found = await measure()
    process.stderr.write(`${formatRows(found)}\n`)
    rows.push(...found)
  }
  console.log(formatRows(rows))
  if (asked.length === 0) publish(formatRows(rows))
}

main().finally(remove)
