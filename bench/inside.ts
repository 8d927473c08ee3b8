/** What one container costs, seen from the engine and from inside: start, exec, memory, logs, names, ports. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createEngine, type Engine, type EngineEvent, type ExecOptions, type UpOptions } from '../src/index.ts'
import { loadProject } from './load-project.ts'
import { ms, type Row, sampleOf } from './measure.ts'
import { peers, time } from './peers.ts'
import { argv, caisson, environment, limit, project, scratch, services } from './world.ts'

const UP: UpOptions = {
  services: [],
  pull: undefined,
  quietPull: false,
  noDeps: false,
  forceRecreate: false,
  noRecreate: false,
  alwaysRecreateDeps: false,
  renewAnonymousVolumes: false,
  removeOrphans: false,
  ignoreOrphans: false,
  noStart: false,
  scale: {},
  timeoutMs: undefined,
  lenient: false,
  dryRun: false,
  wait: false,
  waitTimeoutMs: undefined,
  rerun: [],
  attached: false,
}
const EXEC: Omit<ExecOptions, 'service' | 'command'> = {
  index: undefined,
  env: [],
  workingDir: undefined,
  user: undefined,
  privileged: false,
  tty: false,
  interactive: false,
  detach: false,
}

const open = (emit: (event: EngineEvent) => void = () => {}): Engine =>
  createEngine({
    root: environment.CAISSON_ROOT ?? '',
    run: environment.CAISSON_RUN ?? '',
    networkNamespace: undefined,
    environment: {},
    emit,
  })

/** `runc run` of the same static program, six namespaces, no seccomp, no network set up. */
const runc = (runs: number): string => {
  if (peers === undefined) return 'runc -'
  const bundle = join(scratch, 'bundle')
  const prepare = `rm -rf ${bundle} && mkdir -p ${bundle} && cp -r ${join(scratch, 'rootfs')} ${bundle}/rootfs && cd ${bundle} && runc spec && sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"\\/limit", "true"/' config.json`
  const sample = time(
    { command: `runc run -b ${bundle} bench`, prepare: `sh -c '${prepare.replaceAll("'", `'\\''`)}'` },
    scratch,
    runs,
  )
  return sample === undefined ? 'runc -' : `\`runc run\` ${ms(sample.medianMs)}`
}

/** From the engine's first operation on a container to its process running, and exec from call to exit. */
export const startAndExec = async (runs: number): Promise<Row[]> => {
  const cwd = project('start', services(1))
  const loaded = await loadProject(cwd)
  const starts: number[] = []
  let container = 0
  const engine = open((event) => {
    if (event.kind === 'done' && /^(create|start)Container$/.test(event.node.operation.kind))
      container += event.milliseconds
  })
  for (let run = 0; run < runs; run++) {
    container = 0
    await engine.up(loaded, UP)
    if (run > 0) starts.push(container)
    if (run < runs - 1)
      await engine.down(
        { name: loaded.name, project: loaded },
        { services: [], timeoutMs: undefined, dryRun: false, volumes: false, removeOrphans: false },
      )
  }
  const execs: number[] = []
  for (let run = 0; run < runs * 3; run++) {
    const begin = performance.now()
    await engine.exec(loaded.name, { ...EXEC, service: 's0', command: ['/limit', 'true'] })
    if (run > 2) execs.push(performance.now() - begin)
  }
  caisson(cwd, 'down')
  const bare = limit(1, 1, 15)
  const start = sampleOf(starts)
  const exec = sampleOf(execs)
  return [
    {
      what: 'start one container, engine call to its process running',
      ours: ms(start.medianMs),
      budget: `${ms(2 * bare.startMs)} (2 × limit)`,
      met: start.medianMs <= 2 * bare.startMs,
      beside: `limit ${ms(bare.startMs)}, ${runc(10)}`,
    },
    {
      what: 'exec of a static program, engine call to its exit seen',
      ours: ms(exec.medianMs),
      budget: '1 ms to its process running',
      met: exec.medianMs <= 1 ? true : undefined,
      beside: '',
    },
  ]
}

const freeBytes = (): number => Number(/^MemFree:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024

/** Proportional set of every process of ours, bytes. */
const proportional = (): number => {
  let bytes = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readlinkSync(`/proc/${pid}/exe`).startsWith(join(environment.CAISSON_ROOT ?? '', 'bin'))) continue
      bytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024
    } catch {
      // ended meanwhile, or a kernel thread
    }
  }
  return bytes
}

export const memory = (): Row[] => {
  const count = 50
  const cwd = project('memory', services(count))
  const before = freeBytes()
  caisson(cwd, 'up', '-d')
  const perContainer = proportional() / count
  const free = (before - freeBytes()) / count
  caisson(cwd, 'down')
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`
  return [
    {
      what: `memory beside a service, proportional (${count} containers)`,
      ours: mb(perContainer),
      budget: '0.4 MB',
      met: perContainer <= 0.4e6,
      beside: 'Docker 28: 4.4 MB each and 120 MB of daemons',
    },
    {
      what: `MemFree for each container, its process included (${count})`,
      ours: mb(free),
      budget: '0.5 MB without the service',
      met: free <= 0.5e6 ? true : undefined,
      beside: '',
    },
  ]
}

const BYTES = 500_000_000
const LINE = 'x'.repeat(99)

export const logs = (): Row[] => {
  const flood = `yes ${LINE} | head -c ${BYTES}`
  const target = join(scratch, 'flood')
  const cat = sampleOf(
    [0, 1, 2].map(() => {
      const begin = performance.now()
      execFileSync('sh', ['-c', `${flood} | cat >${target}`])
      return performance.now() - begin
    }),
  )
  const cwd = project(
    'logs',
    `services:\n  a: {image: caisson/host, network_mode: none, command: ["sh", "-c", "${flood}"]}\n`,
  )
  const begin = performance.now()
  const attached = spawnSync(process.execPath, argv('up').slice(1), {
    cwd,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (attached.status !== 0) throw new Error(attached.stderr.toString())
  const row = JSON.parse(caisson(cwd, 'ps', '-a', '--format', 'json')) as { ID: string }
  const exit = join(environment.CAISSON_ROOT ?? '', 'containers', row.ID.slice(0, 12), 'exit')
  const status = JSON.parse(readFileSync(exit, 'utf8')) as { startedAt: string; finishedAt: string }
  const capture = Date.parse(status.finishedAt) - Date.parse(status.startedAt)
  const whole = performance.now() - begin
  const read = sampleOf(
    [0, 1, 2].map(() => {
      const from = performance.now()
      spawnSync('sh', ['-c', `${process.execPath} ${argv('logs').slice(1).join(' ')} >${target}`], {
        cwd,
        env: environment,
      })
      return performance.now() - from
    }),
  )
  const kept = statSync(target).size
  caisson(cwd, 'down')
  rmSync(target, { force: true })
  const rate = (took: number, bytes = BYTES): string => `${(bytes / 1000 / took).toFixed(0)} MB/s`
  return [
    {
      what: 'log capture, 100-byte lines written in blocks',
      ours: rate(capture),
      budget: `${rate(cat.medianMs / 0.6)} (0.6 × cat)`,
      met: capture <= cat.medianMs / 0.6,
      beside: `\`cat >file\` ${rate(cat.medianMs)}, attached \`up\` to a file ${rate(whole)}, Docker 28: 21 MB/s`,
    },
    {
      what: '`logs` reads them back',
      ours: rate(read.medianMs, kept),
      budget: 'as fast',
      met: kept / read.medianMs >= (0.6 * BYTES) / cat.medianMs,
      beside: '',
    },
  ]
}

/** Median of one query after the other over UDP, measured by a program inside the container. */
export const names = (): Row[] => {
  const cwd = project('names', 'services:\n  web: {image: caisson/host, command: sleep 1000, stop_signal: SIGKILL}\n')
  caisson(cwd, 'up', '-d')
  execFileSync('gcc', ['-O2', '-static', '-o', join(scratch, 'dns'), join(import.meta.dirname, 'dns.c')])
  const row = JSON.parse(caisson(cwd, 'ps', '--format', 'json')) as { ID: string }
  const { pid } = JSON.parse(
    readFileSync(join(environment.CAISSON_RUN ?? '', 'containers', row.ID.slice(0, 12), 'status'), 'utf8'),
  ) as { pid: number }
  const inside = (port: string): number =>
    Number(
      execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, join(scratch, 'dns'), port, 'web'], { encoding: 'utf8' }),
    )
  const answer = inside('53')
  const echo = inside('echo')
  caisson(cwd, 'down')
  return [
    {
      what: 'DNS answer inside a container, median',
      ours: `${answer.toFixed(1)} µs`,
      budget: '40 µs',
      met: answer <= 40,
      beside: `bare UDP echo ${echo.toFixed(1)} µs, Docker 28: 84 µs`,
    },
  ]
}
