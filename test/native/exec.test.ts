import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encode } from '../../src/native/encode.ts'
import { execPlan, type LaunchPlan, MAGIC, PLAN_VERSION, type ProcessPlan } from '../../src/native/launch-plan.ts'
import { createSandbox, launcher, planFile, type Sandbox, sampleProcess } from '../helpers/launch.ts'
import { needsRoot } from '../helpers/root.ts'

const test = suite<{ sandbox: Sandbox; container: ChildProcess; control: string }>('exec')
needsRoot(test)

/** A container that sleeps, and its control socket. */
const startContainer = async (
  sandbox: Sandbox,
  plan: LaunchPlan,
): Promise<{ container: ChildProcess; control: string }> => {
  const control = join(sandbox.root, 'control.sock')
  const path = join(sandbox.root, 'plan')
  writeFileSync(path, planFile(plan))
  const container = spawn(launcher, [`--control=${control}`, path], { stdio: ['ignore', 'pipe', 'ignore'] })
  if (container.stdout !== null) await once(container.stdout, 'data')
  assert.ok(existsSync(control))
  return { container, control }
}

test.before(async (context) => {
  context.sandbox = createSandbox()
  const plan = context.sandbox.plan(['sh', '-c', 'echo up; exec sleep 1000'])
  Object.assign(context, await startContainer(context.sandbox, plan))
})
test.after(async (context) => {
  const { container } = context
  container.kill('SIGTERM')
  await once(container, 'close')
  context.sandbox.remove()
})

interface Frame {
  readonly type: number
  readonly payload: Buffer
}
const framesIn = (bytes: Buffer): Frame[] => {
  const frames: Frame[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at)
    frames.push({ type: bytes.readUInt16LE(at + 4), payload: bytes.subarray(at + 8, at + 8 + size) })
    at += 8 + size
  }
  return frames
}

interface ExecOptions {
  readonly interactive?: boolean
  readonly supervised?: boolean
  readonly input?: Buffer | string
  readonly process?: Partial<ProcessPlan>
  readonly during?: (child: ChildProcess) => Promise<void>
}
interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly frames: readonly Frame[]
}

const planPath = (sandbox: Sandbox, control: string, args: readonly string[], options: ExecOptions): string => {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(MAGIC.exec, 0)
  header.writeUInt32LE(PLAN_VERSION, 4)
  const plan = {
    process: { ...sampleProcess(args), ...options.process },
    controlSocket: control,
    cgroups: [],
    interactive: options.interactive ?? options.input !== undefined,
    supervised: options.supervised ?? false,
  }
  const path = join(sandbox.root, 'exec')
  writeFileSync(path, Buffer.concat([header, encode(execPlan, plan)]))
  return path
}

const collect = (stream: Readable | null | undefined): { bytes: () => Buffer } => {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { bytes: () => Buffer.concat(chunks) }
}

const exec = async (
  sandbox: Sandbox,
  control: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<Outcome> => {
  const file = openSync(planPath(sandbox, control, args, options), 'r')
  const stdio: SpawnOptions['stdio'] = [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', file, 'pipe']
  const child = spawn(launcher, ['exec'], { stdio, timeout: 20_000, killSignal: 'SIGKILL' })
  closeSync(file)
  const [out, err, results] = [collect(child.stdout), collect(child.stderr), collect(child.stdio[4] as Readable)]
  // A process may end without reading all of it.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input)
  await options.during?.(child)
  const [code] = await once(child, 'close')
  return { code, stdout: out.bytes().toString(), stderr: err.bytes().toString(), frames: framesIn(results.bytes()) }
}

const RUNNING = 103
const EXITED = 104
const FAILURE = 105

test('streams stay apart, the exit code is the process`s, and both are told', async ({ sandbox, control }) => {
  const { code, stdout, stderr, frames } = await exec(sandbox, control, ['sh', '-c', 'hostname; echo err >&2; exit 7'])
  assert.equal([code, stdout, stderr], [7, 'web\n', 'err\n'])
  assert.equal(
    frames.map((frame) => frame.type),
    [RUNNING, EXITED],
  )
  assert.is(frames[1]?.payload.readUInt32LE(0), 7)
})

test('a signal that ends the process is 128 + its number', async ({ sandbox, control }) => {
  const { code, frames } = await exec(sandbox, control, ['sh', '-c', 'kill -9 $$'])
  assert.is(code, 137)
  assert.equal([frames[1]?.payload.readUInt32LE(0), frames[1]?.payload.readUInt32LE(4)], [137, 9])
})

test('a missing program is 127, a file that cannot be executed 126, a dead monitor 125', async ({
  sandbox,
  control,
}) => {
  const codes = []
  for (const [args, socket] of [
    [['nope'], control],
    [['/etc/passwd'], control],
    [['true'], '/no/such/socket'],
  ] as const) {
    const { code, frames } = await exec(sandbox, socket, args)
    assert.equal(
      frames.map((frame) => frame.type),
      [FAILURE],
    )
    codes.push(code)
  }
  assert.equal(codes, [127, 126, 125])
})

test('megabytes go in and come out at once', async ({ sandbox, control }) => {
  const input = Buffer.alloc(8 << 20, 'caisson ')
  const { code, stdout } = await exec(sandbox, control, ['cat'], { input })
  assert.is(code, 0)
  assert.is(createHash('sha256').update(stdout).digest('hex'), createHash('sha256').update(input).digest('hex'))
})

test('input that nobody reads does not hold the end', async ({ sandbox, control }) => {
  const { code } = await exec(sandbox, control, ['sh', '-c', 'exit 3'], { input: Buffer.alloc(1 << 20) })
  assert.is(code, 3)
})

test('a child left in the background does not hold the end', async ({ sandbox, control }) => {
  const before = Date.now()
  const { code, stdout } = await exec(sandbox, control, ['sh', '-c', 'sleep 3 & echo done'])
  assert.equal([code, stdout], [0, 'done\n'])
  assert.ok(Date.now() - before < 2000)
})

test('without a terminal, signals are passed on', async ({ sandbox, control }) => {
  const script = 'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.01; done'
  const during = async (child: ChildProcess): Promise<void> => {
    if (child.stdout !== null) await once(child.stdout, 'data')
    child.kill('SIGTERM')
  }
  const { code, stdout } = await exec(sandbox, control, ['sh', '-c', script], { during })
  assert.equal([code, stdout], [9, 'ready\ngot\n'])
})

test('credentials are the plan`s, nothing inheritable, and only stdio is open', async ({ sandbox, control }) => {
  const script =
    'id -u; id -G; ls /proc/self/fd; grep -E "CapInh|CapEff|NoNewPrivs" /proc/self/status; stat -L -c %F /proc/self/fd/1'
  const process = { uid: 1000, gid: 1000, groups: [5], noNewPrivileges: true }
  const { stdout } = await exec(sandbox, control, ['sh', '-c', script], { process })
  const none = '0000000000000000'
  assert.is(stdout, `1000\n1000 5\n0\n1\n2\n3\nCapInh:\t${none}\nCapEff:\t${none}\nNoNewPrivs:\t1\nfifo\n`)
})

test('a working directory behind /proc/self/fd is refused', async ({ sandbox, control }) => {
  for (let fd = 0; fd < 16; fd++) {
    const { code, frames } = await exec(sandbox, control, ['pwd'], { process: { cwd: `/proc/self/fd/${fd}` } })
    assert.equal([code, frames[0]?.type], [126, FAILURE], `fd ${fd}`)
  }
})

test('a terminal is made inside the container and is the controlling one', async ({ sandbox, control }) => {
  const script = 'tty; stty size; ps -o tpgid= -p $$ | grep -qx " *$$" && echo foreground'
  const { code, stdout } = await exec(sandbox, control, ['sh', '-c', script], {
    process: { tty: true, rows: 20, columns: 70 },
  })
  assert.equal([code, stdout.replaceAll('\r', '')], [0, '/dev/pts/0\n20 70\nforeground\n'])
})

test('the caller`s terminal is raw meanwhile and restored afterwards', async ({ sandbox, control }) => {
  const options = { interactive: true, process: { tty: true } }
  const path = planPath(sandbox, control, ['sh', '-c', 'read line; echo "<$line>"; stty size'], options)
  const settings = 'stty -a | tr " " "\\n" | grep -xE -- "-?(echo|icanon|isig);?"'
  const script = `stty rows 31 cols 91; ${settings}; ${launcher} exec 3<${path} 4>/dev/null; ${settings}`
  const child = spawn('script', ['-qec', script, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'], timeout: 20_000 })
  const out = collect(child.stdout)
  await sleep(200)
  child.stdin?.write('typed\r')
  await once(child, 'close')
  const text = out.bytes().toString().replaceAll('\r', '')
  assert.match(text, '<typed>\n31 91\n')
  assert.is(text.match(/^icanon$/gm)?.length, 2, text)
  assert.is(text.match(/^echo$/gm)?.length, 2, text)
})

test('no container process ever sees our binary as one that it could write to', async ({ sandbox, control }) => {
  const digest = (): string => createHash('sha256').update(readFileSync(launcher)).digest('hex')
  const before = digest()
  const spy =
    'end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do for p in /proc/[0-9]*/exe; do (printf x >>$p) 2>/dev/null; done; done'
  const watching = exec(sandbox, control, ['sh', '-c', spy])
  for (let round = 0; round < 60; round++) assert.is((await exec(sandbox, control, ['true'])).code, 0)
  await watching
  assert.is(digest(), before)
})

test('after the container has ended, exec says so', async ({ sandbox, control, container }) => {
  assert.is(container.exitCode, null)
  const { code, frames } = await exec(sandbox, `${control}.gone`, ['true'])
  assert.equal([code, frames[0]?.type], [125, FAILURE])
  assert.ok(frames[0]?.payload.includes(Buffer.from([osConstants.errno.ENOENT, 0, 0, 0])))
})

test.run()
