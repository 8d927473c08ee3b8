import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findNative, loadNative } from '../../src/native/load.ts'
import { createSandbox, sampleProcess } from '../helpers/launch.ts'
import { contentOf, eventually, runToEnd, startMonitor, undoFile } from '../helpers/monitor.ts'
import { needsRoot } from '../helpers/root.ts'

needsRoot(test)

const sandbox = createSandbox()
test.after(() => sandbox.remove())
const shell = (script: string, changes = {}) => sandbox.plan(['sh', '-c', script], { stopGraceMs: 0, ...changes })

test('every line of a flood is in the log once and in order', async () => {
  const [, started] = await runToEnd(sandbox, shell('seq 1 300000; seq 1 300000 >&2'))
  const lines = started.log()
  for (const stream of ['stdout', 'stderr']) {
    const own = contentOf(lines.filter((line) => line.slice(31, 37) === stream))
    assert.is(own.length, 300_000)
    assert.ok(own.every((line, index) => line === String(index + 1)))
  }
  const times = lines.map((line) => line.slice(0, 30))
  assert.ok(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? '')))
  assert.ok(lines.every((line) => /^\S{30} (stdout|stderr) F /.test(line)))
})

test('a full segment is followed by the next number, and the oldest go', async () => {
  const [, started] = await runToEnd(sandbox, shell('seq 1 100000', { logMaxBytes: 100_000n, logMaxFiles: 3 }))
  const numbers = started.segments()
  assert.is(numbers.length, 3)
  assert.ok((numbers[0] ?? 0) > 20)
  for (const number of numbers) assert.ok(statSync(join(started.stateDirectory, 'log', String(number))).size <= 100_000)
  const content = contentOf(started.log())
  const first = Number(content[0])
  assert.is(content.at(-1), '100000')
  assert.ok(content.every((line, index) => line === String(first + index)))
})

test('the next run of a container goes on with its log', async () => {
  const changes = { logMaxBytes: 1000n, logMaxFiles: 2 }
  await runToEnd(sandbox, shell('echo first', changes), { name: 'again' })
  const [, started] = await runToEnd(sandbox, shell('echo second', changes), { name: 'again' })
  assert.equal(contentOf(started.log()), ['first', 'second'])
  assert.equal(started.segments(), [1])
})

test('a long line is cut at 16 KiB, and is whole again when it is read', async () => {
  const [, started] = await runToEnd(
    sandbox,
    shell('head -c 50000 /dev/zero | tr "\\0" x; echo; echo next; head -c 16384 /dev/zero | tr "\\0" y; echo'),
  )
  const lines = started.log()
  assert.equal(
    lines.map((line) => line.slice(38, 39)),
    ['P', 'P', 'P', 'F', 'F', 'F'],
  )
  assert.ok(lines.every((line) => line.length <= 16_384 + 40))
  const input = Buffer.from(`${lines.join('\n')}\n`)
  const options = { prefix: '', timestamps: false, since: '', until: '', separate: false }
  const { stdout } = loadNative().formatLog(input, options)
  assert.is(stdout.toString(), `${'x'.repeat(50_000)}\nnext\n${'y'.repeat(16_384)}\n`)
})

test('a prompt without newline is in the log while the service waits', async () => {
  const started = startMonitor(sandbox, shell('printf "name: "; sleep 100'))
  started.client.commit()
  await started.client.go()
  await eventually(() => started.log().some((line) => line.endsWith(' stdout P name: ')))
  await started.client.stop()
})

test('what is written last and without newline is not lost', async () => {
  const [, started] = await runToEnd(sandbox, shell('printf out; printf err >&2'))
  assert.equal(
    started
      .log()
      .map((line) => line.slice(31))
      .sort(),
    ['stderr P err', 'stdout P out'],
  )
})

test('output of a terminal is the stdout of the log', async () => {
  const process = { ...sampleProcess(['sh', '-c', 'echo out; echo err >&2']), tty: true }
  const [, started] = await runToEnd(sandbox, shell('', { process }))
  assert.equal(
    started.log().map((line) => line.slice(31)),
    ['stdout F out\r', 'stdout F err\r'],
  )
})

test('a full disk loses lines, says how much, and never holds the service up', async () => {
  const disk = join(sandbox.root, 'state', 'full')
  mkdirSync(disk, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk])
  try {
    const plan = shell(
      'seq 1 100000; echo done > /dev/shm/done; while [ ! -e /dev/shm/go ]; do sleep 0.05; done; echo after; sleep 0.5',
      {
        openStdin: true,
      },
    )
    const started = startMonitor(sandbox, plan, { name: 'full' })
    started.client.commit()
    const pid = await started.client.go()
    await eventually(() => existsSync(`/proc/${pid}/root/dev/shm/done`))
    const before = started.log()
    assert.ok(before.length < 100_000)
    assert.equal(
      contentOf(before),
      Array.from({ length: before.length }, (_, index) => String(index + 1)),
    )
    execFileSync('mount', ['-o', 'remount,size=4m', disk])
    writeFileSync(`/proc/${pid}/root/dev/shm/go`, '')
    assert.is((await started.client.wait()).code, 0)
    const [gap = '', ...rest] = started.log().slice(before.length)
    const lost = Number(/^\S+ stderr F caisson: (\d+) bytes of log lost: no space left$/.exec(gap)?.[1])
    const whole = Array.from({ length: 100_000 }, (_, index) => 41 + String(index + 1).length).reduce((a, b) => a + b)
    assert.is(
      lost,
      whole - readFileSync(join(started.stateDirectory, 'log/1')).length + [gap, ...rest].join('\n').length + 1,
    )
    assert.equal(contentOf(rest), ['after'])
  } finally {
    execFileSync('umount', [disk])
  }
})

test('undo removes what a container wrote, however deep, and nothing behind its symlinks', () => {
  const binding = loadNative()
  const [tree, outside] = [join(sandbox.root, 'tree'), join(sandbox.root, 'outside')]
  mkdirSync(outside)
  writeFileSync(join(outside, 'kept'), '')
  mkdirSync(tree)
  symlinkSync(outside, join(tree, 'link'))
  // A path of 30,000 characters: only a process of its own can go there.
  const deep =
    "for (let i = 0; i < 3000; i++) { fs.mkdirSync('directory'); fs.writeFileSync('file', ''); process.chdir('directory') }"
  execFileSync(process.execPath, ['-e', deep], { cwd: tree })
  const state = join(sandbox.root, 'state', 'undo-only')
  mkdirSync(state, { recursive: true })
  writeFileSync(
    join(state, 'undo'),
    undoFile('0123456789ab', [{ scope: 'remove', kind: 'tree', path: tree, data: new Uint8Array() }]),
  )
  const fd = binding.openPath(state)
  const network = binding.openPath('/proc/self/ns/net')
  const undo = (scope: string) =>
    binding.reap(
      binding.spawn(findNative().monitor, ['caisson-monitor', 'undo', scope], [], [-1, 1, 2, -1, fd, -1, -1, network]),
      true,
    )
  assert.is(undo('stop'), 0)
  assert.is(existsSync(tree), true)
  assert.is(undo('all'), 0)
  assert.is(existsSync(tree), false)
  assert.is(existsSync(join(outside, 'kept')), true)
  assert.is(undo('all'), 0)
  rmSync(outside, { recursive: true })
})

test.run()
