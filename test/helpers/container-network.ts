/** The network of one container through native/test/network.cc, and a probe that works inside it. Needs root. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { encode } from '../../src/native/encode.ts'
import { type LaunchPlan, launchPlan, MAGIC, PLAN_VERSION } from '../../src/native/launch-plan.ts'

export type NetworkPlan = LaunchPlan['network']

const harness = join(import.meta.dirname, '../../build/network-test')
const probe = join(import.meta.dirname, 'network-probe.mjs')

export const ipv4 = (text: string): Buffer => Buffer.from(text.split('.').map(Number))

export const noNetwork: NetworkPlan = {
  mode: 'none',
  endpoints: [],
  settings: [],
  firewall: Buffer.alloc(0),
  hostFirewall: Buffer.alloc(0),
  conntrackAddress: Buffer.alloc(0),
  names: [],
  dns: { port: 0, networks: [], aliases: [], forward: false, upstreams: [], seccomp: Buffer.alloc(0) },
  listeners: [],
}

export const endpoint = (bridge: string, address: string, name = 'eth0'): NetworkPlan['endpoints'][number] => ({
  bridge,
  hostName: `ve${randomBytes(5).toString('hex')}`,
  name,
  mac: Buffer.from([0x02, 0xca, ...ipv4(address)]),
  mtu: 0,
  address: ipv4(address),
  prefixLength: 24,
  gateway: ipv4(address.replace(/\d+$/, '1')),
})

const encodePlan = (network: NetworkPlan): Buffer => {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(MAGIC.launch, 0)
  header.writeUInt32LE(PLAN_VERSION, 4)
  const plan = {
    id: '0123456789ab',
    name: 'sample-web-1',
    journalAttributes: '{}',
    journal: '/dev/null',
    cloneFlags: 0n,
    joins: [],
    hostname: '',
    domainname: '',
    lower: ['/'],
    upper: '',
    work: '',
    readOnlyRoot: false,
    rootPropagation: 0n,
    mounts: [],
    devices: [],
    symlinks: [],
    maskedPaths: [],
    readonlyPaths: [],
    sysctls: [],
    process: {
      args: ['true'],
      env: [],
      cwd: '/',
      uid: 0,
      gid: 0,
      groups: [],
      umask: 0o22,
      capabilities: { bounding: 0n, permitted: 0n, effective: 0n, inheritable: 0n, ambient: 0n },
      rlimits: [],
      oomScoreAdj: 0,
      setOomScoreAdj: false,
      noNewPrivileges: false,
      seccomp: Buffer.alloc(0),
      keyring: '',
      tty: false,
      rows: 0,
      columns: 0,
    },
    init: false,
    openStdin: false,
    cgroups: [],
    monitorCgroups: [],
    deviceFilter: Buffer.alloc(0),
    memoryEvents: { kind: 'none', path: '' },
    network,
    logMaxBytes: 1n,
    logMaxFiles: 1,
    stopSignal: 15,
    stopGraceMs: 1000,
    autoRemove: false,
    restart: { policy: 'no', maximumRetries: 0, delayMs: 0, windowMs: 10_000, freshNetwork: false },
    health: {
      ...{ probe: 'none' as const, port: 0, path: '', seccomp: new Uint8Array(), intervalMs: 0, timeoutMs: 0 },
      ...{ startPeriodMs: 0, startIntervalMs: 0, retries: 1 },
    },
  } as const
  return Buffer.concat([header, encode(launchPlan, plan)])
}

type Child = ChildProcessByStdio<Writable, Readable, null>

/** Lines of a child's output, one at a time. undefined: it has ended. */
const lineReader = (child: Child): (() => Promise<string | undefined>) => {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async () => {
    const next = await lines.next()
    return next.done === true ? undefined : next.value
  }
}

const ended = (child: Child): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.on('exit', () => resolve())
  })

export interface Probe {
  /** Sends one datagram, resolves with the first answer; undefined: none within `timeoutMs`. */
  udp(host: string, port: number, data: Uint8Array, timeoutMs?: number): Promise<Buffer | undefined>
  /** So many copies of a DNS query, each with an id of its own: how many answers came with which code. */
  flood(host: string, port: number, data: Uint8Array, count: number): Promise<Readonly<Record<string, number>>>
  /** Connects, writes `parts` one after the other, reads until `bytes` have come, the end, or the time-out. undefined: refused. */
  tcp(
    host: string,
    port: number,
    parts: readonly Uint8Array[],
    bytes?: number,
    timeoutMs?: number,
  ): Promise<Buffer | undefined>
  /** Opens so many connections and leaves them idle. Resolves with how many stand. */
  idle(host: string, port: number, count: number): Promise<number>
  /** An echo server on any address. */
  echo(port: number): Promise<void>
  /** Output of a shell script, there. */
  shell(script: string): Promise<string>
  close(): Promise<void>
}

/** A process in the namespace of `pid` that does what a service would. */
export const openProbe = (pid: number): Probe => {
  const child = spawn('nsenter', [`--net=/proc/${pid}/ns/net`, process.execPath, probe], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const read = lineReader(child)
  let turn: Promise<unknown> = Promise.resolve()
  const ask = (request: object): Promise<string | undefined> => {
    const answer = turn.then(async () => {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      const line = await read()
      return line === undefined ? undefined : (JSON.parse(line) as { result?: string }).result
    })
    turn = answer
    return answer
  }
  const bytes = async (request: object): Promise<Buffer | undefined> => {
    const text = await ask(request)
    return text === undefined ? undefined : Buffer.from(text, 'hex')
  }
  const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')
  return {
    udp: (host, port, data, timeoutMs = 1000) => bytes({ kind: 'udp', host, port, data: hex(data), timeoutMs }),
    flood: async (host, port, data, count) =>
      JSON.parse((await ask({ kind: 'flood', host, port, data: hex(data), count, timeoutMs: 8000 })) ?? '{}'),
    tcp: (host, port, parts, wanted = 0, timeoutMs = 1000) =>
      bytes({ kind: 'tcp', host, port, parts: parts.map(hex), bytes: wanted, timeoutMs }),
    idle: async (host, port, count) => Number(await ask({ kind: 'idle', host, port, count })),
    echo: async (port) => void (await ask({ kind: 'echo', port })),
    shell: async (script) => (await ask({ kind: 'shell', script })) ?? '',
    close: async () => {
      child.stdin.end()
      await ended(child)
    },
  }
}

export interface ContainerNetwork {
  /** Of the process that holds the namespace. */
  readonly pid: number
  /** 0: none. */
  readonly netd: number
  readonly microseconds: number
  /** Next line that it prints. */
  line(): Promise<string | undefined>
  command(line: string): void
  close(): Promise<void>
}

/** Builds it; throws with the line `failure …` where that fails. `listenerFds[i]` belongs to network.listeners[i]. */
export const startNetwork = async (
  network: NetworkPlan,
  listenerFds: readonly number[] = [],
): Promise<ContainerNetwork> => {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-network-'))
  const path = join(directory, 'plan')
  writeFileSync(path, encodePlan(network))
  const numbers = listenerFds.map((_, index) => String(index + 3))
  const stdio = ['pipe', 'pipe', 'inherit', ...listenerFds] as const
  const child = spawn(harness, [path, ...numbers], { stdio: [...stdio] }) as unknown as Child
  const line = lineReader(child)
  const first = await line()
  rmSync(directory, { recursive: true })
  const [word, netd, microseconds] = (first ?? 'nothing').split(' ')
  if (word !== 'ready' || child.pid === undefined) throw new Error(first)
  return {
    pid: child.pid,
    netd: Number(netd),
    microseconds: Number(microseconds),
    line,
    command: (text) => void child.stdin.write(`${text}\n`),
    close: async () => {
      child.stdin.end()
      await ended(child)
    },
  }
}
