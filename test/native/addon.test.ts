import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SystemError } from '../../src/errors.ts'
import { PLAN_VERSION } from '../../src/native/launch-plan.ts'
import { findNative, loadNative } from '../../src/native/load.ts'
import { PROTOCOL_VERSION } from '../../src/monitor/protocol.ts'

const binding = loadNative()
const scratch = mkdtempSync(join(tmpdir(), 'caisson-addon-'))
test.after(() => rmSync(scratch, { recursive: true }))

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.instance(error, SystemError)
    return (error as SystemError).code
  }
  return 'no error'
}

/** Runs sh with these fds (stdin, stdout, …) and returns what it wrote to the second. */
const shell = (script: string, extra: readonly number[] = []): { output: string; code: number | undefined } => {
  const path = join(scratch, 'output')
  const out = openSync(path, 'w')
  const pid = binding.spawn('/bin/sh', ['sh', '-c', script], ['A=1', 'PATH=/usr/bin:/bin'], [-1, out, 2, ...extra])
  const code = binding.reap(pid, true)
  closeSync(out)
  return { output: readFileSync(path, 'utf8'), code }
}

test('it exports what binding.ts declares and was built for this code', () => {
  const names = [
    ...[
      'version',
      'spawn',
      'reap',
      'socketPair',
      'lock',
      'lockWait',
      'isLocked',
      'punchHole',
      'openPath',
      'readInRoot',
      'formatLog',
      'listArchive',
      'openIngest',
      'settleLayer',
    ],
    ...['netlinkSocket', 'netlinkTalk', 'bridgeEnsure', 'linkDelete', 'routes', 'links', 'networkSysctl'],
    ...['readNetworkSysctl', 'listen'],
  ]
  assert.equal(Object.keys(binding).sort(), names.sort())
  assert.is(binding.version, `${PROTOCOL_VERSION}.${PLAN_VERSION}`)
  assert.match(findNative().monitor, /caisson-monitor$/)
})

test('spawn passes exactly the fds it is given, in their order, and a new environment', () => {
  const first = openSync(join(scratch, 'first'), 'w')
  const second = openSync(join(scratch, 'second'), 'w')
  const { output, code } = shell(
    'echo "$A $HOME"; readlink /proc/self/fd/3 /proc/self/fd/4; for n in $(seq 5 40); do [ -e /proc/$/fd/$n ] && echo $n; done; exit 7',
    [second, first],
  )
  closeSync(first)
  closeSync(second)
  const [environment, third, fourth, ...open] = output.split('\n')
  assert.is(code, 7)
  assert.is(environment, '1 ')
  assert.is(third, join(scratch, 'second'))
  assert.is(fourth, join(scratch, 'first'))
  assert.equal(open, [''])
})

test('sources that lie crosswise among the targets are not lost', () => {
  const [a, b] = [openSync(join(scratch, 'a'), 'w'), openSync(join(scratch, 'b'), 'w')]
  const [low, high] = a < b ? [a, b] : [b, a]
  const names = new Map([low, high].map((fd) => [fd, readlinkSync(`/proc/self/fd/${fd}`)]))
  const fds = Array.from({ length: high + 1 }, () => -1)
  fds[1] = openSync(join(scratch, 'output'), 'w')
  fds[low] = high
  fds[high] = low
  const pid = binding.spawn(
    '/bin/sh',
    ['sh', '-c', `readlink /proc/self/fd/${low} /proc/self/fd/${high}`],
    ['PATH=/bin:/usr/bin'],
    fds,
  )
  assert.is(binding.reap(pid, true), 0)
  assert.equal(readFileSync(join(scratch, 'output'), 'utf8').trim().split('\n'), [names.get(high), names.get(low)])
  for (const fd of [a, b, fds[1]]) closeSync(fd)
})

test('the child has default signal handling and nothing blocked', () => {
  const { output } = shell('cat /proc/self/status')
  assert.match(output, /SigBlk:\t0+\n/)
  assert.match(output, /SigIgn:\t0+\n/)
})

test('a program that is not there, or not executable, is an error of spawn', () => {
  assert.is(
    codeOf(() => binding.spawn('/nowhere', ['x'], [], [])),
    'ENOENT',
  )
  assert.is(
    codeOf(() => binding.spawn('/etc/passwd', ['x'], [], [])),
    'EACCES',
  )
})

test('reap tells running from ended, and a signal from an exit', () => {
  const pid = binding.spawn('/bin/sleep', ['sleep', '100'], [], [])
  assert.is(binding.reap(pid, false), undefined)
  process.kill(pid, 'SIGKILL')
  assert.is(binding.reap(pid, true), 137)
  assert.is(
    codeOf(() => binding.reap(pid, false)),
    'ECHILD',
  )
})

test('a lock belongs to an open file description and can be asked for', async () => {
  const path = join(scratch, 'lock')
  assert.is(binding.isLocked(path), false)
  const fd = binding.lock(path)
  assert.type(fd, 'number')
  assert.is(binding.isLocked(path), true)
  assert.is(binding.lock(path), undefined)
  assert.is(await binding.lockWait(path, 30), undefined)
  const waiting = binding.lockWait(path, 5000)
  setTimeout(() => closeSync(Number(fd)), 20)
  const second = await waiting
  assert.type(second, 'number')
  closeSync(Number(second))
  assert.is(binding.isLocked(path), false)
  assert.is(
    codeOf(() => binding.lock(join(scratch, 'missing/lock'))),
    'ENOENT',
  )
})

test('a process that inherits the description holds the lock on', () => {
  const path = join(scratch, 'inherited')
  const fd = Number(binding.lock(path))
  const pid = binding.spawn('/bin/sleep', ['sleep', '100'], [], [-1, -1, -1, fd])
  closeSync(fd)
  assert.is(binding.isLocked(path), true)
  process.kill(pid, 'SIGKILL')
  binding.reap(pid, true)
  assert.is(binding.isLocked(path), false)
})

test('a socket pair carries bytes', () => {
  const [left, right] = binding.socketPair()
  writeSync(left, 'hello')
  const buffer = Buffer.alloc(10)
  assert.is(readSync(right, buffer), 5)
  closeSync(left)
  closeSync(right)
})

test('a file is found in the topmost layer that has it, and never outside of them', () => {
  const [top, bottom] = [join(scratch, 'top'), join(scratch, 'bottom')]
  for (const directory of [join(top, 'etc'), join(bottom, 'etc'), join(bottom, 'usr/lib'), join(bottom, 'opt')])
    mkdirSync(directory, { recursive: true })
  writeFileSync(join(top, 'etc/passwd'), 'top')
  writeFileSync(join(bottom, 'etc/passwd'), 'bottom')
  writeFileSync(join(bottom, 'etc/group'), 'group')
  writeFileSync(join(bottom, 'usr/lib/os-release'), 'os')
  symlinkSync('../usr/lib/os-release', join(top, 'etc/os-release'))
  symlinkSync('/../../../../etc/group', join(top, 'etc/absolute'))
  symlinkSync('loop', join(top, 'etc/loop'))
  writeFileSync(join(top, 'opt'), 'a file over a directory')
  writeFileSync(join(bottom, 'opt/hidden'), 'hidden')
  const read = (path: string) => binding.readInRoot([top, bottom], path, 1000)?.toString()
  assert.is(read('/etc/passwd'), 'top')
  assert.is(read('/etc/group'), 'group')
  assert.is(read('/etc/os-release'), 'os')
  assert.is(read('/etc/absolute'), 'group')
  assert.is(read('/../../etc/group'), 'group')
  assert.is(read('/etc/nothing'), undefined)
  assert.is(read('/etc'), undefined)
  assert.is(read('/opt/hidden'), undefined)
  assert.is(
    codeOf(() => read('/etc/loop')),
    'ELOOP',
  )
  assert.is(
    codeOf(() => binding.readInRoot([top], '/etc/passwd', 2)),
    'EFBIG',
  )
})

const time = (second: number): string => `2026-11-20T10:00:${String(second).padStart(2, '0')}.000000000Z`
const plain = { prefix: '', timestamps: false, since: '', until: '', separate: false }
const format = (lines: readonly string[], options: Partial<Parameters<typeof binding.formatLog>[1]> = {}) => {
  const { stdout, stderr, consumed } = binding.formatLog(Buffer.from(lines.join('')), { ...plain, ...options })
  return { stdout: stdout.toString(), stderr: stderr.toString(), consumed }
}

test('log lines get their prefix and time, by stream where asked', () => {
  const lines = [`${time(1)} stdout F one\n`, `${time(2)} stderr F two\n`, `${time(3)} stdout F \n`]
  const whole = lines.join('').length
  assert.equal(format(lines), { stdout: 'one\ntwo\n\n', stderr: '', consumed: whole })
  assert.equal(format(lines, { separate: true }), { stdout: 'one\n\n', stderr: 'two\n', consumed: whole })
  assert.is(format(lines, { prefix: 'web-1  | ', timestamps: true }).stdout.split('\n')[1], `web-1  | ${time(2)} two`)
})

test('since and until bound the lines, both inclusive', () => {
  const lines = [1, 2, 3, 4].map((second) => `${time(second)} stdout F ${second}\n`)
  assert.is(format(lines, { since: time(2), until: time(3) }).stdout, '2\n3\n')
})

test('a line that was cut is one line again, also between lines of the other stream', () => {
  const lines = [
    `${time(1)} stdout P he\n`,
    `${time(2)} stderr F other\n`,
    `${time(3)} stdout P ll\n`,
    `${time(4)} stdout F o\n`,
  ]
  assert.is(format(lines, { timestamps: true }).stdout, `${time(2)} other\n${time(1)} hello\n`)
})

test('what is not whole yet stays for the next call', () => {
  const lines = [`${time(1)} stdout F one\n`, `${time(2)} stdout P tw`]
  assert.equal(format(lines), { stdout: 'one\n', stderr: '', consumed: lines[0]?.length })
  const open = [`${time(1)} stdout F one\n`, `${time(2)} stdout P tw\n`, `${time(3)} stderr F other\n`]
  assert.equal(format(open), { stdout: 'one\n', stderr: '', consumed: lines[0]?.length })
  const final = format(open, { final: true })
  assert.is(final.stdout, 'one\nother\ntw\n')
  assert.is(final.consumed, open.join('').length)
})

test('a line without end does not hold back the others for ever', () => {
  const chunk = 'x'.repeat(16_384)
  const lines = Array.from({ length: 40 }, () => `${time(1)} stdout P ${chunk}\n`)
  const { consumed, stdout } = format(lines)
  assert.ok(consumed > 256 * 1024)
  assert.ok(stdout.length > 256 * 1024)
})

test('what is no log line comes out as it is', () => {
  assert.is(
    format(['nonsense\n', '\n', `${time(1)} stdxxx F a\n`], { prefix: '> ' }).stdout,
    `> nonsense\n> \n> ${time(1)} stdxxx F a\n`,
  )
})

test.run()
