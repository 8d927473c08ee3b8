/** exec: one more process in a running container, through a helper that relays this command's stdio. */
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { CaissonError } from '../errors.ts'
import { MonitorClient, MonitorFailure } from '../monitor/client.ts'
import { encode } from '../native/encode.ts'
import { systemError } from '../native/failure.ts'
import { type ExecPlan, execPlan, MAGIC, PLAN_VERSION } from '../native/launch-plan.ts'
import { lowerExec } from '../spec/exec.ts'
import { containerPaths, runPaths } from '../state/layout.ts'
import type { ContainerRecord } from '../state/records.ts'
import { ExecError } from './errors.ts'
import { joinedHostname } from './joins.ts'
import { accountsOf, imageUnder } from './prepare.ts'
import { runningReplica } from './ps.ts'
import { newId } from './reserve.ts'
import { type Session, withSession } from './session.ts'
import type { ExecOptions } from './process-types.ts'
import type { EngineOptions } from './types.ts'
import { CGROUP_PARENT, reaped } from './undo.ts'

/** What of ExecOptions the process itself is made from. */
export type ProcessOptions = Pick<
  ExecOptions,
  'command' | 'env' | 'workingDir' | 'user' | 'privileged' | 'tty' | 'interactive'
>

export const planOf = (session: Session, record: ContainerRecord, options: ProcessOptions): ExecPlan => {
  const image = imageUnder(session, record)
  const paths = containerPaths(session.roots, record.id)
  const { rows = 0, columns = 0 } = process.stdout.isTTY ? process.stdout : {}
  const request = {
    ...{ args: options.command, env: options.env, cwd: options.workingDir, user: options.user },
    ...{
      tty: options.tty,
      interactive: options.interactive,
      supervised: false,
      privileged: options.privileged,
      rows,
      columns,
    },
    controlSocket: runPaths(session.roots, record.id).control,
  }
  return lowerExec(request, {
    service: record.definition,
    image: image.config,
    facts: session.facts(),
    allocation: {
      ...{ id: record.id, project: record.project, cgroupParent: CGROUP_PARENT },
      accounts: accountsOf(session, image, paths),
      ...joinedHostname(session, record),
    },
  })
}

/** A descriptor that reads `bytes` and has no name. A pipe would do for 64 KiB. */
const unnamed = (session: Session, bytes: Uint8Array): number => {
  const path = `${session.roots.run}/exec-${newId()}`
  writeFileSync(path, bytes, { mode: 0o600 })
  try {
    return openSync(path, 'r')
  } finally {
    rmSync(path)
  }
}

const encoded = (plan: ExecPlan): Buffer => {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(MAGIC.exec, 0)
  header.writeUInt32LE(PLAN_VERSION, 4)
  return Buffer.concat([header, encode(execPlan, plan)])
}

/** 127: no such program; 126: there, but it cannot be run; 125: our own failure. */
export const execError = (error: unknown, command: readonly string[]): unknown => {
  if (!(error instanceof MonitorFailure)) return error
  const cause = systemError(error.failure, error)
  const hint = cause.hint === undefined ? {} : { hint: cause.hint }
  if (cause.step !== 'exec') return new ExecError(125, cause.message, { cause, ...hint })
  return new ExecError(cause.code === 'ENOENT' ? 127 : 126, `${command[0] ?? ''}: ${cause.message}`, { cause, ...hint })
}

const ignore = () => {}

/**
 * Keys of the terminal reach the helper by themselves, so this process must only outlive them; what is sent to this
 * process alone is passed on.
 */
const passSignals = (pid: number): (() => void) => {
  const pass = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal)
    } catch {
      // It has just ended.
    }
  }
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, ignore)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, pass)
  return () => {
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.off(signal, ignore)
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, pass)
  }
}

/** The helper, with these three descriptors. */
export const spawnHelper = (session: Session, plan: ExecPlan, stdio: readonly number[]) => {
  const [ours, theirs] = session.binding.socketPair()
  const planFd = unnamed(session, encoded(plan))
  try {
    const pid = session.binding.spawn(session.monitor(), ['caisson-monitor', 'exec'], [], [...stdio, planFd, theirs])
    return { pid, result: MonitorClient.fromFd(ours) }
  } finally {
    closeSync(planFd)
    closeSync(theirs)
  }
}

/** The helper tells what became of it over `result`, in the frames of a monitor; it reads nothing. */
const runHelper = async (session: Session, plan: ExecPlan, options: ExecOptions): Promise<number> => {
  const nothing = session.nothing()
  const stdio = options.detach ? [nothing, nothing, nothing] : [options.interactive ? 0 : nothing, 1, 2]
  const { pid, result } = spawnHelper(session, plan, stdio)
  const restore = passSignals(pid)
  try {
    await (options.detach ? result.go() : result.wait())
  } catch (error) {
    if (!(error instanceof CaissonError && error.code === 'EMONITORGONE')) throw execError(error, options.command)
  } finally {
    restore()
    result.close()
  }
  return options.detach ? 0 : reaped(session, pid)
}

export const exec = (engine: EngineOptions, project: string, options: ExecOptions): Promise<number> =>
  withSession(engine, async (session) => {
    const { record } = runningReplica(engine, project, options.service, options.index)
    return runHelper(session, planOf(session, record, options), options)
  })
