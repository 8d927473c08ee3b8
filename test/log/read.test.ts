import { appendFileSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LogRequest, lastLines, readLogs } from '../../src/log/read.ts'
import { logTime } from '../../src/log/time.ts'
import { loadNative } from '../../src/native/load.ts'

const test = suite<{ base: string }>('logs', { base: '' })
test.before.each((context) => {
  context.base = mkdtempSync(join(tmpdir(), 'caisson-log-'))
})
test.after.each(({ base }) => rmSync(base, { recursive: true }))

const START = Date.UTC(2026, 0, 1)
const line = (second: number, text: string, stream = 'stdout', tag = 'F') =>
  `${logTime(START + second * 1000)} ${stream} ${tag} ${text}\n`
const all: LogRequest<string> = {
  since: '',
  until: '',
  tail: undefined,
  timestamps: false,
  separate: false,
  follow: undefined,
}

const directory = (base: string, name: string, segments: Record<number, string>) => {
  mkdirSync(join(base, name))
  for (const [number, text] of Object.entries(segments)) writeFileSync(join(base, name, number), text)
  return join(base, name)
}

const collect = async (logs: Record<string, string>, request: Partial<LogRequest<string>> = {}) => {
  const inputs = Object.entries(logs).map(([source, path]) => ({ source, directory: path, prefix: `${source}| ` }))
  let text = ''
  for await (const part of readLogs(loadNative(), inputs, { ...all, ...request })) {
    text += part.kind === 'output' ? part.stdout.toString() : `${part.source} ended\n`
  }
  return text
}

test('segments are read in the order of their numbers', async ({ base }) => {
  const a = directory(base, 'a', { 2: line(2, 'two'), 10: line(3, 'ten'), 1: line(1, 'one') })
  writeFileSync(join(a, '3'), '')
  for (let n = 4; n < 10; n += 1) writeFileSync(join(a, String(n)), '')
  assert.is(await collect({ a }), 'a| one\na| two\na| ten\n')
})

test('several containers are merged by time', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, 'a1') + line(4, 'a4') + line(5, 'a5') })
  const b = directory(base, 'b', { 1: line(2, 'b2') + line(3, 'b3'), 2: line(6, 'b6') })
  assert.is(await collect({ a, b }), 'a| a1\nb| b2\nb| b3\na| a4\na| a5\nb| b6\n')
})

test('a line in parts is one line, over the border of a segment too', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, 'long ', 'stdout', 'P'), 2: line(1, 'line') + line(2, 'next') })
  const b = directory(base, 'b', { 1: line(1.5, 'other') })
  assert.is(await collect({ a }), 'a| long line\na| next\n')
  assert.is(await collect({ a, b }), 'a| long line\nb| other\na| next\n')
})

test('a part whose end never came is given out at the end', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, 'one') + line(2, 'cut', 'stdout', 'P') })
  assert.is(await collect({ a }), 'a| one\na| cut\n')
})

test('tail counts whole lines, over segments', async ({ base }) => {
  const a = directory(base, 'a', {
    1: line(1, '1') + line(2, '2'),
    2: line(3, 'par', 'stdout', 'P') + line(3, 't') + line(4, '4'),
  })
  assert.is(await collect({ a }, { tail: 1 }), 'a| 4\n')
  assert.is(await collect({ a }, { tail: 2 }), 'a| part\na| 4\n')
  assert.is(await collect({ a }, { tail: 3 }), 'a| 2\na| part\na| 4\n')
  assert.is(await collect({ a }, { tail: 99 }), 'a| 1\na| 2\na| part\na| 4\n')
  assert.is(await collect({ a }, { tail: 0 }), '')
})

test('tail of a long log finds its place from the end', async ({ base }) => {
  const lines = Array.from({ length: 20_000 }, (_, n) => line(n, `${n} ${'x'.repeat(60)}`)).join('')
  const a = directory(base, 'a', { 1: lines })
  const text = await collect({ a }, { tail: 12_345 })
  assert.is(text.split('\n').length - 1, 12_345)
  assert.match(text, /^a\| 7655 x/)
})

test('since and until bound it, tail counts within', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, '1') + line(2, '2'), 2: line(3, '3') + line(4, '4') })
  assert.is(await collect({ a }, { since: logTime(START + 2000), until: logTime(START + 3000) }), 'a| 2\na| 3\n')
  assert.is(await collect({ a }, { until: logTime(START + 3000), tail: 1 }), 'a| 3\n')
})

test('a gap between segments says so', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, '1'), 5: line(5, '5') })
  assert.match(await collect({ a }), /^a\| 1\na\| caisson: lines are missing: segments 2 to 4 .*\na\| 5\n$/)
})

test('following gives what comes, through rotation, until the source has ended', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, '1') })
  let ended = false
  setTimeout(() => appendFileSync(join(a, '1'), line(2, '2')), 20)
  setTimeout(() => {
    appendFileSync(join(a, '1'), line(3, '3'))
    writeFileSync(join(a, '2'), line(4, '4'))
    unlinkSync(join(a, '1'))
  }, 60)
  setTimeout(() => {
    appendFileSync(join(a, '2'), line(5, '5'))
    ended = true
  }, 120)
  const text = await collect({ a }, { follow: { hasEnded: () => ended, signal: undefined } })
  assert.is(text, 'a| 1\na| 2\na| 3\na| 4\na| 5\na ended\n')
})

test('an aborted follow ends', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, '1') })
  const abort = new AbortController()
  setTimeout(() => abort.abort(), 20)
  assert.is(await collect({ a }, { follow: { hasEnded: () => false, signal: abort.signal } }), 'a| 1\n')
})

test('a container without a log has none', async ({ base }) => {
  assert.is(await collect({ a: join(base, 'gone') }), '')
  assert.equal(lastLines(loadNative(), join(base, 'gone'), 20), [])
})

test('the last lines for a message are bare', ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, '1') + line(2, '2', 'stderr') + line(3, '3') })
  assert.equal(lastLines(loadNative(), a, 2), ['2', '3'])
})

test.run()
