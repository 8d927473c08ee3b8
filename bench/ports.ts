/** A published port under load, beside the same server in a bare namespace on a bridge, and on the host itself. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Row, sampleOf } from './measure.ts'
import { caisson, project, scratch } from './world.ts'

const SECONDS = 3

/** Requests per second of `wrk` against an address; the best of three. */
const wrk = (from: readonly string[], url: string): number => {
  const rates = [0, 1, 2].map(() => {
    const [file = 'wrk', ...rest] = [...from, 'wrk', '-t1', '-c32', `-d${SECONDS}s`, url]
    return -Number(/Requests\/sec:\s+([\d.]+)/.exec(execFileSync(file, rest, { encoding: 'utf8' }))?.[1])
  })
  return -sampleOf(rates).minMs
}
const sh = (script: string): void => void execFileSync('sh', ['-ec', script])

const bareNamespace = (server: string): number => {
  sh(`ip netns add benchsrv; ip link add benchbr type bridge; ip addr add 10.215.1.1/24 dev benchbr; ip link set benchbr up
ip link add benchh master benchbr type veth peer name eth0 netns benchsrv; ip link set benchh up
ip -n benchsrv addr add 10.215.1.2/24 dev eth0; ip -n benchsrv link set eth0 up`)
  const child = spawn('ip', ['netns', 'exec', 'benchsrv', server, '8080'])
  try {
    spawnSync('sleep', ['0.2'])
    return wrk([], 'http://10.215.1.2:8080/')
  } finally {
    child.kill()
    spawnSync('sh', ['-c', 'ip netns del benchsrv; ip link del benchbr'])
  }
}

export const ports = (): Row[] => {
  if (spawnSync('sh', ['-c', 'command -v wrk']).status !== 0) return []
  const server = join(scratch, 'http')
  execFileSync('gcc', ['-O2', '-static', '-o', server, join(import.meta.dirname, 'http.c')])
  const bare = bareNamespace(server)
  const cwd = project(
    'ports',
    `services:\n  web: {image: caisson/host, command: [/srv/http, "8080"], stop_signal: SIGKILL, volumes: ["${server}:/srv/http:ro"], ports: ["28080:8080"]}\n`,
  )
  caisson(cwd, 'up', '-d')
  spawnSync('sleep', ['0.2'])
  const v4 = wrk([], 'http://127.0.0.1:28080/')
  const v6 = wrk([], 'http://[::1]:28080/')
  caisson(cwd, 'down')
  const k = (rate: number): string => `${(rate / 1000).toFixed(1)}k/s`
  return [
    {
      what: 'published port, wrk through 127.0.0.1',
      ours: k(v4),
      budget: `${k(0.9 * bare)} (0.9 × bare namespace on a bridge)`,
      met: v4 >= 0.9 * bare,
      beside: `bare ${k(bare)}`,
    },
    {
      what: 'published port, wrk through [::1] (splice)',
      ours: k(v6),
      budget: '-',
      met: undefined,
      beside: `bare ${k(bare)}`,
    },
  ]
}
