/** What health checks cost: processor time of the whole machine while 100 services are probed every five seconds. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from './measure.ts'
import { among, COMPOSE, peers } from './peers.ts'
import { caisson, project } from './world.ts'

const COUNT = 100
/** Seldom enough that every engine keeps up on two processors: of one that does not, less than its probes cost would be seen. */
const INTERVAL_SECONDS = 5
const SECONDS = 20

const compose = (probe: string): string =>
  `services:\n${Array.from({ length: COUNT }, (_, index) => `  s${index}: {image: bench, network_mode: none, command: [/limit, payload], stop_signal: SIGKILL${probe}}\n`).join('')}`
const PROBE = `, healthcheck: {test: [CMD, /limit, "true"], interval: ${INTERVAL_SECONDS}s, start_interval: 1s, start_period: 1s}`

/** Processor time that anybody has used, in seconds (proc(5): user, nice, system, irq, softirq; hundredths). */
const busy = (): number => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  )
    .split(' ')
    .map(Number)
  return (user + nice + system + irq + softirq) / 100
}

/** Seconds of processor time each second, once things have settled. */
const load = async (): Promise<number> => {
  await sleep(5000)
  const before = busy()
  await sleep(SECONDS * 1000)
  return (busy() - before) / SECONDS
}

const costs = async (probed: string, idle: string, up: (cwd: string) => void, down: (cwd: string) => void) => {
  up(idle)
  const without = await load()
  down(idle)
  up(probed)
  const cost = (await load()) - without
  down(probed)
  return cost
}

const show = (seconds: number): string => `${((seconds / COUNT) * INTERVAL_SECONDS * 1000).toFixed(2)} ms a probe`

export const health = async (): Promise<Row[]> => {
  const probed = project('health', compose(PROBE))
  const idle = project('idle', compose(''))
  const ours = await costs(
    probed,
    idle,
    (cwd) => void caisson(cwd, 'up', '-d'),
    (cwd) => void caisson(cwd, 'down'),
  )
  const docker =
    peers === undefined
      ? undefined
      : await costs(
          probed,
          idle,
          (cwd) => void among(`${COMPOSE} up -d`, cwd),
          (cwd) => void among(`${COMPOSE} down`, cwd),
        )
  return [
    {
      what: `health checks of ${COUNT} services, an exec each every ${INTERVAL_SECONDS} s, processor time`,
      ours: show(ours),
      budget: '-',
      met: undefined,
      beside: docker === undefined ? 'Docker 28 -' : `Docker 28 ${show(docker)}`,
    },
  ]
}
