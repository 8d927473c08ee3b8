/** Whole processes: what a user waits for at the prompt. */
import { rmSync } from 'node:fs'
import { type Command, interleave, ms, type Row } from './measure.ts'
import { COMPOSE, PLUGIN, peers, time } from './peers.ts'
import { argv, caisson, environment, limit, project, scratch, services, wordy } from './world.ts'

const bareNode: Command = { argv: [process.execPath, '-e', '0'], env: { PATH: process.env.PATH } }
const run = (cwd: string, ...args: readonly string[]): Command => ({ argv: argv(...args), cwd, env: environment })
const rival = (
  label: string,
  command: string,
  cwd: string,
  runs: number,
  around: { prepare?: string; conclude?: string } = {},
): string => {
  const sample = time({ command, ...around }, cwd, runs)
  return sample === undefined ? `${label} -` : `${label} ${ms(sample.medianMs)}`
}

/** ps, logs, port, version: no YAML parsed. */
export const quickCommands = (runs: number): Row[] => {
  const cwd = project(
    'quick',
    'services:\n  web: {image: bench, command: [/limit, payload], stop_signal: SIGKILL, ports: ["27080:80"]}\n',
  )
  caisson(cwd, 'up', '-d')
  const commands = ['version', 'ps', 'logs', 'port web 80'] as const
  const samples = interleave(
    { node: bareNode, ...Object.fromEntries(commands.map((name) => [name, run(cwd, ...name.split(' '))])) },
    runs,
  )
  caisson(cwd, 'down')
  const node = samples.node?.medianMs ?? 0
  if (peers !== undefined) time({ command: `${COMPOSE} up -d` }, cwd, 1)
  const rows = commands.map((name) => {
    const ours = samples[name]?.medianMs ?? Number.NaN
    const beside = `node ${ms(node)}, ${rival('docker compose', `${COMPOSE} ${name}`, cwd, 5)}, ${rival('plugin', `${PLUGIN} ${name}`, cwd, 5)}`
    return {
      what: `\`${name}\``,
      ours: `${ms(ours)} (node + ${ms(ours - node)})`,
      budget: 'node + 20 ms',
      met: ours <= node + 20,
      beside,
    }
  })
  if (peers !== undefined) time({ command: `${COMPOSE} down` }, cwd, 1)
  return rows
}

/** config, a file seen before and a new one. */
export const configCommands = (runs: number): Row[] =>
  [4, 40, 1000].flatMap((count) => {
    const cwd = project(`config-${count}`, wordy(count))
    const few = count > 100 ? Math.min(runs, 5) : runs
    const forget = (): void => rmSync(`${scratch}/cache/caisson/trees`, { recursive: true, force: true })
    const seen = run(cwd, 'config', '-q')
    const warm = interleave({ node: bareNode, seen }, few)
    const cold = interleave({ fresh: { ...seen, before: forget } }, few)
    const node = warm.node?.medianMs ?? 0
    const seenMs = warm.seen?.medianMs ?? Number.NaN
    const newMs = cold.fresh?.medianMs ?? Number.NaN
    const beside = `node ${ms(node)}, ${rival('docker compose', `${COMPOSE} config -q`, cwd, few)}, ${rival('plugin', `${PLUGIN} config -q`, cwd, few)}`
    return [
      {
        what: `\`config -q\`, ${count} services, seen before`,
        ours: `${ms(seenMs)} (node + ${ms(seenMs - node)})`,
        budget: 'node + 30 ms',
        met: seenMs <= node + 30,
        beside,
      },
      {
        what: `\`config -q\`, ${count} services, new`,
        ours: `${ms(newMs)} (node + ${ms(newMs - node)})`,
        budget: 'node + 50 ms + 2 ms per service',
        met: newMs <= node + 50 + 2 * count,
        beside,
      },
    ]
  })

/** up -d, up -d again with nothing to do, and down, of 1, 20 and 200 services. */
export const upAndDown = (runs: number): Row[] =>
  [1, 20, 200].flatMap((count) => {
    const cwd = project(`up-${count}`, services(count))
    const many = count > 100 ? Math.min(runs, 3) : runs
    const down = (): void => void caisson(cwd, 'down')
    const up = interleave({ node: bareNode, up: { ...run(cwd, 'up', '-d'), after: down } }, many)
    caisson(cwd, 'up', '-d')
    const again = interleave({ again: run(cwd, 'up', '-d') }, many)
    const downs = interleave({ down: { ...run(cwd, 'down'), before: () => void caisson(cwd, 'up', '-d') } }, many)
    const bare = limit(count, Math.min(count, 2), count > 100 ? 2 : 5)
    const node = up.node?.medianMs ?? 0
    const upMs = up.up?.medianMs ?? Number.NaN
    const againMs = again.again?.medianMs ?? Number.NaN
    const downMs = downs.down?.medianMs ?? Number.NaN
    const upBudget = node + 40 + (count > 1 ? 1.5 * bare.startMs : 0)
    const downBudget = upBudget + 35
    const few = Math.min(many, count > 100 ? 1 : 5)
    const beside = `node ${ms(node)}, limit ${ms(bare.startMs)}`
    const named = `${count} service${count > 1 ? 's' : ''}`
    const rivalUp = rival('docker compose', `${COMPOSE} up -d`, cwd, few, { prepare: `${COMPOSE} down` })
    const rivalAgain = rival('docker compose', `${COMPOSE} up -d`, cwd, few)
    const around = { prepare: `${COMPOSE} up -d`, conclude: `${COMPOSE} down` }
    return [
      {
        what: `\`up -d\`, ${named}, seen before`,
        ours: ms(upMs),
        budget: `${ms(upBudget)} (node + 40 ms${count > 1 ? ' + 1.5 × limit' : ''})`,
        met: upMs <= upBudget,
        beside: `${beside}, ${rivalUp}`,
      },
      {
        what: `\`up -d\` again, ${named}, nothing to do`,
        ours: ms(againMs),
        budget: '-',
        met: undefined,
        beside: `node ${ms(node)}, ${rivalAgain}`,
      },
      {
        what: `\`down\`, ${named}`,
        ours: ms(downMs),
        budget: `${ms(downBudget)} (as up + 35 ms a network)`,
        met: downMs <= downBudget,
        beside: `${beside}, ${rival('docker compose', `${COMPOSE} down`, cwd, few, around)}`,
      },
    ]
  })
