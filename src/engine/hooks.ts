/** Hooks: commands beside a container's own process after its start and before its stop, one after another, as `exec` runs them. */
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Hook } from '../compose/project.ts'
import { CaissonError, ProjectError } from '../errors.ts'
import type { ContainerRecord } from '../state/records.ts'
import { readContainer } from '../state/snapshot.ts'
import { clock } from './clock.ts'
import { aborted, ExecError, HookError } from './errors.ts'
import { execError, planOf, spawnHelper } from './exec.ts'
import { LineSplitter } from './line-splitter.ts'
import type { Run } from './run.ts'
import type { Session } from './session.ts'
import { reaped } from './undo.ts'

type Phase = 'post_start' | 'pre_stop'

const HINTS: Readonly<Record<Phase, string>> = {
  post_start: 'the container runs on; `restart` runs its hooks again, `up` does not',
  pre_stop: 'the container runs on; `kill` ends it without its hooks',
}

/** Lines of a failed hook that are shown with its error. */
const LAST_LINES = 20

/** What the container's process does; undefined: nothing any more. */
const stateOf = ({ session }: Run, { id }: ContainerRecord): 'running' | 'paused' | undefined => {
  const now = readContainer(session.roots, id, session.isAlive)
  const state = now?.alive ? now.status?.state : undefined
  return state === 'running' || state === 'paused' ? state : undefined
}

const optionsOf = ({ command, user, privileged, workingDir, environment }: Hook) => ({
  ...{ command, user, privileged, workingDir, tty: false, interactive: false },
  env: Object.entries(environment).map(([name, value]) => (value === null ? name : `${name}=${value}`)),
})

/** Asks the process to end, as `exec` is asked: by its helper, which passes the signal on. */
const endOnAbort = ({ signal }: Run, pid: number): (() => void) => {
  const end = () => {
    try {
      process.kill(pid, 'SIGTERM')
    } catch {
      // It has just ended.
    }
  }
  if (signal?.aborted) end()
  signal?.addEventListener('abort', end, { once: true })
  return () => signal?.removeEventListener('abort', end)
}

/** Lines of both streams, as they come, until nobody can write any more. */
const readLines = (fd: number, onLine: (line: string) => void): Promise<void> =>
  new Promise((resolve) => {
    const socket = new Socket({ fd, readable: true, writable: false })
    const lines = new LineSplitter(onLine)
    socket.on('data', (data: Buffer) => lines.add(data))
    socket.on('error', () => {}) // as good as its end
    socket.on('close', () => {
      lines.end()
      resolve()
    })
  })

const spawnHook = (session: Session, record: ContainerRecord, hook: Hook) => {
  const plan = planOf(session, record, optionsOf(hook))
  const nothing = session.nothing()
  const [ours, theirs] = session.binding.socketPair()
  try {
    return { ...spawnHelper(session, plan, [nothing, theirs, theirs]), output: ours }
  } catch (error) {
    closeSync(ours)
    throw error
  } finally {
    closeSync(theirs)
  }
}

/** Its exit code. Throws ExecError where it could not be run at all. */
const runHook = async (run: Run, record: ContainerRecord, hook: Hook, onLine: (line: string) => void) => {
  const { pid, result, output } = spawnHook(run.session, record, hook)
  const restore = endOnAbort(run, pid)
  const read = readLines(output, onLine)
  let failure: unknown
  try {
    await result.wait()
  } catch (error) {
    if (!isGone(error)) failure = execError(error, hook.command)
  } finally {
    result.close()
  }
  const code = await reaped(run.session, pid)
  await read
  restore()
  if (run.signal?.aborted) throw aborted()
  if (failure !== undefined) throw failure
  return code
}

const isGone = (error: unknown): boolean => error instanceof CaissonError && error.code === 'EMONITORGONE'

/** That of a process killed with its container. */
const KILLED = 137
/** From the end of a container's process until its monitor has said so. */
const SETTLING_MS = 1000

const hasEnded = async (run: Run, record: ContainerRecord): Promise<boolean> => {
  for (const end = clock.now() + SETTLING_MS; clock.now() < end; ) {
    if (stateOf(run, record) === undefined) return true
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return false
}

const reasonOf = (error: unknown): string => {
  if (error instanceof ProjectError) return error.diagnostics.map(({ message }) => message).join('; ')
  return error instanceof Error ? error.message : String(error)
}

/** Runs one, and judges how it ended. What dies with its container has not failed. */
const perform = async (run: Run, record: ContainerRecord, phase: Phase, hook: Hook, title: string): Promise<void> => {
  const { name, service, number } = record
  const last: string[] = []
  const onLine = (line: string) => {
    last.push(line)
    if (last.length > LAST_LINES) last.shift()
    run.session.emit({ kind: 'hookOutput', container: { name, service, number }, line })
  }
  let reason: string
  let cause: unknown
  let isSuspect: boolean
  try {
    const code = await runHook(run, record, hook, onLine)
    if (code === 0) return
    isSuspect = code === KILLED
    reason = `exited with code ${code}`
  } catch (error) {
    if (error instanceof CaissonError && error.code === 'EABORTED') throw error
    cause = error
    isSuspect = error instanceof ExecError ? error.exitCode === 125 : isGone(error)
    reason = `could not be run: ${reasonOf(error)}`
  }
  if (isSuspect && (await hasEnded(run, record)))
    return warnSkipped(run, record, title, 'did not get through: it has ended')
  throw new HookError(`${title} ${reason}`, { hint: HINTS[phase], cause, output: last })
}

const warnSkipped = ({ session }: Run, { name, service }: ContainerRecord, title: string, why: string) =>
  session.emit({
    ...{ kind: 'warning', code: 'engine/hook-left-out', message: `${title} of ${name} ${why}`, hint: undefined },
    path: ['services', service],
  })

/** Throws HookError for the first that fails; those after it are not run. Where no process runs there is nothing to run them in. */
export const runHooks = async (
  run: Run,
  record: ContainerRecord,
  phase: Phase,
  hooks: readonly Hook[],
): Promise<void> => {
  for (const [index, hook] of hooks.entries()) {
    const title = `${phase} hook ${hooks.length === 1 ? '' : `${index + 1} `}(${hook.command[0] ?? ''})`
    const state = stateOf(run, record)
    if (state === 'paused') warnSkipped(run, record, title, 'was not run: it is paused')
    if (state === undefined && phase === 'post_start') warnSkipped(run, record, title, 'was not run: it has ended')
    if (state !== 'running') return
    await perform(run, record, phase, hook, title)
  }
}
