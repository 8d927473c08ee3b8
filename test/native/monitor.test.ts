import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MonitorClient, MonitorFailure } from '../../src/monitor/client.ts'
import { u32Fields } from '../../src/monitor/frames.ts'
import { encode } from '../../src/native/encode.ts'
import { execPlan, MAGIC, PLAN_VERSION } from '../../src/native/launch-plan.ts'
import { findNative, loadNative } from '../../src/native/load.ts'
import { createSandbox, sampleProcess } from '../helpers/launch.ts'
import { childrenOf, contentOf, eventually, isAlive, parentOf, runToEnd, startMonitor } from '../helpers/monitor.ts'
import { needsRoot } from '../helpers/root.ts'

needsRoot(test)

const sandbox = createSandbox()
test.after(() => sandbox.remove())
const shell = (script: string, changes = {}) => sandbox.plan(['sh', '-c', script], { stopGraceMs: 300, ...changes })

test('a run is built, waits at the barrier, goes, ends, and leaves only its state directory', async () => {
  const started = startMonitor(sandbox, shell('echo out; echo err >&2; exit 3'))
  const { client } = started
  assert.is((await client.hello).state, 'building')
  const pid = await client.created
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /NSpid:\t\d+\t\d+\t1\n/)
  assert.is(started.status().state, 'created')
  assert.is(loadNative().isLocked(started.alivePath), true)
  client.commit()
  assert.is(await client.go(), pid)
  assert.equal(await client.wait(), { code: 3, signal: 0, oomKilled: false })
  assert.is(existsSync(started.runDirectory), false)
  assert.is(started.exitFile().state, 'exited')
  assert.is(started.exitFile().exitCode, 3)
  assert.match(started.exitFile().startedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
  await client.closed
  const lines = started.log().sort((a, b) => a.slice(31).localeCompare(b.slice(31)))
  assert.equal(
    lines.map((line) => line.slice(31)),
    ['stderr F err', 'stdout F out'],
  )
})

test('the monitor has left session, directory and parent of whoever started it', async () => {
  const { client } = startMonitor(sandbox, shell('sleep 100'))
  const monitor = parentOf(await client.created)
  const stat = readFileSync(`/proc/${monitor}/stat`, 'utf8').replace(/.*\) /, '').split(' ')
  assert.is.not(Number(stat[1]), process.pid)
  assert.is.not(stat[3], readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /, '').split(' ')[3])
  assert.match(readFileSync(`/proc/${monitor}/status`, 'utf8'), /NSpid:\t\d+\t1\n/)
  client.close()
  await eventually(() => !isAlive(monitor))
})

test('end of file before commit leaves nothing behind', async () => {
  const plan = shell('sleep 100')
  const started = startMonitor(sandbox, plan)
  const pid = await started.client.created
  started.client.close()
  await eventually(() => !existsSync(started.stateDirectory))
  await eventually(() => !isAlive(pid))
  for (const path of [started.runDirectory, plan.upper, plan.work]) assert.is(existsSync(path), false, path)
})

test('after commit the container outlives its starter, and others reach it', async () => {
  const started = startMonitor(sandbox, shell('sleep 100'))
  started.client.commit()
  const pid = await started.client.go()
  started.client.close()
  const other = await MonitorClient.connect(started.socketPath)
  const rest = { health: 'none', restarts: 0, exitCode: 0 }
  assert.equal(await other.hello, { version: 1, state: 'running', pid, ...rest })
  assert.is(isAlive(pid), true)
  assert.is(await other.go(), pid)
  await other.signal(9)
  assert.equal(await other.wait(), { code: 137, signal: 9, oomKilled: false })
})

test('kill -9 of the monitor ends everything in the container, also what changed its uid', async () => {
  const script = 'setpriv --reuid 1000 --clear-groups sleep 1234 & setsid sleep 1235 & sleep 1236'
  const started = startMonitor(sandbox, shell(script))
  started.client.commit()
  const pid = await started.client.go()
  const monitor = parentOf(pid)
  await eventually(() => childrenOf(pid).length >= 2)
  const all = [pid, ...childrenOf(pid)]
  process.kill(monitor, 'SIGKILL')
  await eventually(() => all.every((process) => !isAlive(process)))
  let code = ''
  await started.client.wait().catch((error) => {
    code = error.code
  })
  assert.is(code, 'EMONITORGONE')
  assert.is(loadNative().isLocked(started.alivePath), false)
})

test('SIGTERM to the monitor stops the container with its own signal', async () => {
  const started = startMonitor(
    sandbox,
    shell('trap "echo bye; exit 5" USR1; echo ready; while :; do sleep 0.01; done', {
      stopSignal: 10,
      stopGraceMs: 10_000,
    }),
  )
  started.client.commit()
  const pid = await started.client.go()
  await eventually(() => started.log().length > 0)
  process.kill(parentOf(pid), 'SIGTERM')
  assert.is((await started.client.wait()).code, 5)
  assert.equal(contentOf(started.log()), ['ready', 'bye'])
})

test('stop kills what does not end within its grace', async () => {
  const started = startMonitor(sandbox, shell('trap "" TERM; echo ready; sleep 100'))
  started.client.commit()
  await started.client.go()
  await eventually(() => started.log().length > 0)
  const begin = performance.now()
  const exit = await started.client.stop({ graceMs: 200 })
  const took = performance.now() - begin
  assert.is(exit.signal, 9)
  assert.ok(took >= 195 && took < 1500, `${took} ms`)
})

test('a second stop can shorten the first', async () => {
  const started = startMonitor(sandbox, shell('trap "" TERM; sleep 100'))
  started.client.commit()
  await started.client.go()
  const begin = performance.now()
  void started.client.stop({ graceMs: 60_000 })
  assert.is((await started.client.stop({ graceMs: 0 })).signal, 9)
  assert.ok(performance.now() - begin < 1500)
})

test('a start that fails names the step, and undoes what it should', async () => {
  const failing = (changes = {}) => sandbox.plan(['/no/such/program'], changes)
  const loose = startMonitor(sandbox, failing())
  const failure = await loose.client.go().catch((error) => error)
  assert.instance(failure, MonitorFailure)
  assert.is(failure.failure.step, 'exec')
  assert.is(failure.failure.errno, 2)
  assert.is(existsSync(loose.stateDirectory), false)
  const committed = startMonitor(sandbox, failing())
  committed.client.commit()
  assert.instance(await committed.client.go().catch((error) => error), MonitorFailure)
  assert.is(existsSync(committed.runDirectory), false)
  assert.is(committed.exitFile().exitCode, 127)
})

test('a failure while building reaches the starter too', async () => {
  const started = startMonitor(sandbox, shell('true', { sysctls: [{ path: 'kernel/no_such_setting', value: '1' }] }))
  const failure = await started.client.created.catch((error) => error)
  assert.instance(failure, MonitorFailure)
  assert.is(failure.failure.step, 'sysctl')
  await started.client.closed
  assert.is(existsSync(started.stateDirectory), false)
})

test('a damaged spec is a failure of step plan', async () => {
  const damage = (stateDirectory: string) => writeFileSync(join(stateDirectory, 'spec'), 'nonsense')
  const started = startMonitor(sandbox, shell('true'), { damage })
  const failure = await started.client.created.catch((error) => error)
  assert.is(failure.failure.step, 'plan')
})

test('an attached client sees output, feeds stdin, and hears the exit last', async () => {
  const started = startMonitor(
    sandbox,
    shell('while read line; do echo "got $line"; done; echo end >&2', { openStdin: true }),
  )
  started.client.commit()
  const output: string[] = []
  const exit = started.client.attach({
    stdin: true,
    onOutput: (stream, data) => output.push(`${stream}: ${data.toString()}`),
  })
  await started.client.go()
  await started.client.sendStdin(Buffer.from('one\n'))
  await eventually(() => output.join('').includes('got one'))
  await started.client.sendStdin(Buffer.from('two\n'))
  started.client.endStdin()
  assert.is((await exit).code, 0)
  assert.is(output.join(''), 'stdout: got one\nstdout: got two\nstderr: end\n')
})

test('more stdin than a pipe holds arrives whole, while others are served', async () => {
  const started = startMonitor(sandbox, shell('sleep 0.3; sha256sum', { openStdin: true }))
  started.client.commit()
  let output = ''
  const exit = started.client.attach({ stdin: true, onOutput: (_stream, data) => (output += data.toString()) })
  await started.client.go()
  const data = Buffer.alloc(3_000_000, 'abcdefg\n')
  const sent = started.client.sendStdin(data)
  const other = await MonitorClient.connect(started.socketPath)
  assert.is((await other.hello).state, 'running')
  await sent
  started.client.endStdin()
  await exit
  assert.is(output.split(' ')[0], createHash('sha256').update(data).digest('hex'))
})

test('a terminal can be resized and ends its input with ^D', async () => {
  const process = {
    ...sampleProcess(['sh', '-c', 'stty size; read x; stty size; cat']),
    tty: true,
    rows: 24,
    columns: 80,
  }
  const started = startMonitor(sandbox, shell('', { process, openStdin: true }))
  started.client.commit()
  let output = ''
  const exit = started.client.attach({ stdin: true, onOutput: (_stream, data) => (output += data.toString()) })
  await started.client.go()
  await eventually(() => output.includes('24 80'))
  started.client.resize(50, 132)
  await started.client.sendStdin(Buffer.from('x\n'))
  await eventually(() => output.includes('50 132'))
  started.client.endStdin()
  assert.is((await exit).code, 0)
})

test('a service that gives up its terminal or its stdin costs the monitor nothing', async () => {
  const quiet = 'exec sleep 100 </dev/null >/dev/null 2>&1'
  for (const process of [{ ...sampleProcess(['sh', '-c', quiet]), tty: true }, sampleProcess(['sh', '-c', quiet])]) {
    const started = startMonitor(sandbox, shell('', { process, openStdin: true }))
    started.client.commit()
    void started.client.attach({ stdin: true })
    const monitor = parentOf(await started.client.go())
    await started.client.sendStdin(Buffer.alloc(100_000, 'unread\n'))
    started.client.endStdin()
    const ticks = () => readFileSync(`/proc/${monitor}/stat`, 'utf8').replace(/.*\) /, '').split(' ').slice(11, 13)
    const before = ticks()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const used = ticks().map((count, index) => Number(count) - Number(before[index]))
    assert.ok(
      used.every((count) => count <= 3),
      String(used),
    )
    await started.client.stop({ signal: 9 })
  }
})

test('a malformed frame ends its own connection only', async () => {
  const started = startMonitor(sandbox, shell('sleep 100'))
  started.client.commit()
  await started.client.go()
  for (const bytes of [
    Buffer.alloc(8, 0xff),
    Buffer.from([0, 0, 0, 0, 101, 0, 0, 0]),
    Buffer.from([1, 0, 0, 0, 4, 0, 0, 0, 9]),
  ]) {
    const socket = connect(started.socketPath)
    socket.write(bytes)
    socket.resume()
    await new Promise((resolve) => socket.on('close', resolve))
  }
  assert.is((await started.client.stop({ signal: 9 })).code, 137)
})

test('a client that does not read is dropped, and nobody waits for it', async () => {
  const started = startMonitor(
    sandbox,
    shell('yes 0123456789 | head -c 30000000; sleep 100', { logMaxBytes: 1_000_000n, logMaxFiles: 2 }),
  )
  await started.client.created
  const slow = connect(started.socketPath)
  slow.pause()
  slow.write(Buffer.from([4, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0]))
  let seen = 0
  started.client.commit()
  started.client.attach({ stdin: false, onOutput: (_stream, data) => (seen += data.length) })
  await started.client.go()
  await eventually(() => seen === 30_000_000, 20_000)
  assert.is((await started.client.stop({ graceMs: 0 })).code, 137)
  assert.ok(slow.bytesRead < 30_000_000)
  slow.destroy()
})

test('clients that wait all hear the exit', async () => {
  const started = startMonitor(sandbox, shell('sleep 0.2; exit 9'))
  started.client.commit()
  await started.client.go()
  const others = await Promise.all([1, 2, 3].map(() => MonitorClient.connect(started.socketPath)))
  const exits = await Promise.all([started.client, ...others].map((client) => client.wait()))
  assert.equal(
    exits.map((exit) => exit.code),
    [9, 9, 9, 9],
  )
})

test('a netd that dies comes back, and ends with its monitor', async () => {
  const plan = shell('sleep 100')
  const network = { ...plan.network, dns: { ...plan.network.dns, port: 61053 } }
  const started = startMonitor(sandbox, { ...plan, network })
  started.client.commit()
  const monitor = parentOf(await started.client.go())
  const netd = (): number | undefined =>
    childrenOf(monitor).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('netd'))
  await eventually(() => netd() !== undefined)
  const first = netd() ?? 0
  process.kill(first, 'SIGKILL')
  await eventually(() => netd() !== undefined && netd() !== first)
  const second = netd() ?? 0
  assert.is((await started.client.stop({ signal: 9 })).code, 137)
  await started.client.closed
  await eventually(() => !isAlive(second))
})

test('a further process joins a running container through the pidfd that the monitor hands out', async () => {
  const binding = loadNative()
  const started = startMonitor(sandbox, shell('hostname inside; sleep 100'))
  started.client.commit()
  await started.client.go()
  const plan = {
    process: sampleProcess(['sh', '-c', 'echo "$$ is not 1"; exit 12']),
    controlSocket: started.socketPath,
    cgroups: [],
    interactive: false,
    supervised: false,
  }
  const [planPath, outPath] = [join(sandbox.root, 'exec-plan'), join(sandbox.root, 'exec-output')]
  writeFileSync(planPath, Buffer.concat([u32Fields(MAGIC.exec, PLAN_VERSION), encode(execPlan, plan)]))
  const [ours, theirs] = binding.socketPair()
  const [nothing, input, output] = [openSync('/dev/null', 'r'), openSync(planPath, 'r'), openSync(outPath, 'w')]
  const helper = binding.spawn(
    findNative().monitor,
    ['caisson-monitor', 'exec'],
    [],
    [nothing, output, 2, input, theirs],
  )
  for (const fd of [theirs, nothing, input, output]) closeSync(fd)
  const result = MonitorClient.fromFd(ours)
  assert.is(binding.reap(helper, true), 12)
  result.close()
  assert.match(readFileSync(outPath, 'utf8'), /^\d+ is not 1\n$/)
  await started.client.stop({ signal: 9 })
})

test('the journal has one record for each event', async () => {
  const journal = `${sandbox.root}/events`
  await runToEnd(sandbox, shell('exit 4', { journal, journalAttributes: '{"name":"web"}' }))
  const records = readFileSync(journal, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(
    records.map((record) => record.action),
    ['start', 'die'],
  )
  assert.equal(records[1].attributes, { name: 'web', exitCode: '4' })
  assert.is(records[1].id, '0123456789ab')
})

test.run()
