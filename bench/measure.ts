/** Timing of whole processes and tables of the result. Ratios of one run count; the machines are noisy. */
import { spawnSync } from 'node:child_process'
import { performance } from 'node:perf_hooks'

export interface Sample {
  readonly medianMs: number
  readonly minMs: number
  readonly runs: number
}

export const sampleOf = (times: readonly number[]): Sample => {
  const sorted = [...times].sort((a, b) => a - b)
  return {
    medianMs: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    minMs: sorted[0] ?? Number.NaN,
    runs: sorted.length,
  }
}

export interface Command {
  readonly argv: readonly string[]
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Run before each measured run, unmeasured. */
  readonly before?: () => void
  /** Run after each, unmeasured. */
  readonly after?: () => void
}

const runOnce = (command: Command): number => {
  command.before?.()
  const [file = '', ...rest] = command.argv
  const begin = performance.now()
  const result = spawnSync(file, rest, {
    cwd: command.cwd,
    env: command.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 30,
  })
  const took = performance.now() - begin
  command.after?.()
  if (result.status !== 0)
    throw new Error(`${command.argv.join(' ')}: exit ${result.status}: ${result.stderr}${result.stdout}`.slice(0, 2000))
  return took
}

/** Runs the commands in turn, `runs` times each, so that all of them meet the same noise. One unmeasured round first. */
export const interleave = (commands: Readonly<Record<string, Command>>, runs: number): Record<string, Sample> => {
  const times: Record<string, number[]> = {}
  for (let round = -1; round < runs; round++) {
    for (const [name, command] of Object.entries(commands)) {
      const took = runOnce(command)
      if (round < 0) continue
      times[name] = [...(times[name] ?? []), took]
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, sampleOf(list)]))
}

export interface Row {
  readonly what: string
  readonly ours: string
  readonly budget: string
  /** undefined: the budget does not apply or could not be measured here. */
  readonly met: boolean | undefined
  readonly beside: string
}

export const ms = (value: number): string => (value < 10 ? `${value.toFixed(2)} ms` : `${value.toFixed(0)} ms`)

export const formatRows = (rows: readonly Row[]): string =>
  [
    '| what | Caisson | budget | met | beside |',
    '|---|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| ${row.what} | ${row.ours} | ${row.budget} | ${row.met === undefined ? '-' : row.met ? 'yes' : '**no**'} | ${row.beside} |`,
    ),
  ].join('\n')
