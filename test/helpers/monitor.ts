/** Real monitors on hand-written plans: what the engine does to start one, without the engine. Needs root. */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Exit, MonitorClient } from '../../src/monitor/client.ts'
import { encode } from '../../src/native/encode.ts'
import { type LaunchPlan, MAGIC, PLAN_VERSION, type UndoStep, undoList } from '../../src/native/launch-plan.ts'
import { findNative, loadNative } from '../../src/native/load.ts'
import type { Status } from '../../src/state/records.ts'
import { planFile, type Sandbox } from './launch.ts'

export interface Started {
  readonly client: MonitorClient
  readonly stateDirectory: string
  readonly runDirectory: string
  readonly socketPath: string
  readonly alivePath: string
  readonly status: () => Status
  readonly exitFile: () => Status
  /** All lines of the log, oldest first. */
  readonly log: () => string[]
  /** Numbers of the log's segments. */
  readonly segments: () => number[]
}

const step = (scope: UndoStep['scope'], kind: UndoStep['kind'], path: string): UndoStep => ({
  scope,
  kind,
  path,
  data: new Uint8Array(),
})

export const undoFile = (id: string, steps: readonly UndoStep[]): Buffer => {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(MAGIC.undo, 0)
  header.writeUInt32LE(PLAN_VERSION, 4)
  return Buffer.concat([header, encode(undoList, { id, steps })])
}

const readJson = (path: string): Status => JSON.parse(readFileSync(path, 'utf8')) as Status

const segmentsOf = (directory: string): number[] =>
  readdirSync(directory)
    .map(Number)
    .sort((a, b) => a - b)

let runs = 0

/** State and run directory of a new container, with its undo list. */
export const prepare = (sandbox: Sandbox, plan: LaunchPlan, name = `c${runs++}`): [string, string] => {
  const [stateDirectory, runDirectory] = [join(sandbox.root, 'state', name), join(sandbox.root, 'run', name)]
  mkdirSync(stateDirectory, { recursive: true })
  mkdirSync(runDirectory, { recursive: true })
  const steps = [
    ...plan.cgroups.map((cgroup) => step('stop', 'cgroup', cgroup.path)),
    step('stop', 'tree', runDirectory),
    step('remove', 'tree', plan.upper),
    step('remove', 'tree', plan.work),
    step('remove', 'tree', stateDirectory),
  ]
  writeFileSync(join(stateDirectory, 'undo'), undoFile(plan.id, steps))
  writeFileSync(join(stateDirectory, 'spec'), planFile(plan))
  return [stateDirectory, runDirectory]
}

interface StartOptions {
  /** An existing container's: this is its next run. */
  readonly name?: string
  readonly damage?: (stateDirectory: string) => void
}

/** Starts a monitor; the container is being built when this returns. */
export const startMonitor = (sandbox: Sandbox, plan: LaunchPlan, options: StartOptions = {}): Started => {
  const binding = loadNative()
  const [stateDirectory, runDirectory] = prepare(sandbox, plan, options.name)
  options.damage?.(stateDirectory)
  const alivePath = join(runDirectory, 'alive')
  const [ours, theirs] = binding.socketPair()
  const fds = [
    openSync('/dev/null', 'r'),
    openSync('/dev/null', 'w'),
    openSync('/dev/null', 'w'),
    theirs,
    binding.openPath(stateDirectory),
    binding.openPath(runDirectory),
    binding.lock(alivePath) ?? -1,
    binding.openPath('/proc/self/ns/net'),
  ]
  const middle = binding.spawn(findNative().monitor, ['caisson-monitor', 'monitor'], [], fds)
  for (const fd of fds) closeSync(fd)
  binding.reap(middle, true)
  const logDirectory = join(stateDirectory, 'log')
  return {
    client: MonitorClient.fromFd(ours),
    stateDirectory,
    runDirectory,
    socketPath: join(runDirectory, 'control.sock'),
    alivePath,
    status: () => readJson(join(runDirectory, 'status')),
    exitFile: () => readJson(join(stateDirectory, 'exit')),
    segments: () => segmentsOf(logDirectory),
    log: () =>
      segmentsOf(logDirectory).flatMap((number) =>
        readFileSync(join(logDirectory, String(number)), 'utf8')
          .split('\n')
          .slice(0, -1),
      ),
  }
}

/** Starts a container, commits, lets it go, and waits for its end. */
export const runToEnd = async (
  sandbox: Sandbox,
  plan: LaunchPlan,
  options: StartOptions = {},
): Promise<[Exit, Started]> => {
  const started = startMonitor(sandbox, plan, options)
  started.client.commit()
  await started.client.go()
  const exit = await started.client.wait()
  await started.client.closed
  return [exit, started]
}

/** Content of log lines, without time, stream and tag. */
export const contentOf = (lines: readonly string[]): string[] => lines.map((line) => line.slice(40))

/** Until `check` holds. */
export const eventually = async (check: () => boolean | Promise<boolean>, limitMs = 5000): Promise<void> => {
  const deadline = Date.now() + limitMs
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not so after ${limitMs} ms: ${check}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Host pid of the process whose child `pid` is. */
export const parentOf = (pid: number): number =>
  Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** Neither gone nor a zombie. */
export const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z')
  } catch {
    return false
  }
}
