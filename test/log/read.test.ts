import { appendFileSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Follow, followLogs } from '../../src/log/follow.ts'
import { lastLines, type LogInput, type LogRequest, readLogs, type Timed } from '../../src/log/read.ts'
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
const all: LogRequest = {
  since: '',
  until: '',
  tail: undefined,
  timestamps: false,
  separate: false,
  grep: undefined,
}

const directory = (base: string, name: string, segments: Record<number, string>) => {
  mkdirSync(join(base, name))
  for (const [number, text] of Object.entries(segments)) writeFileSync(join(base, name, number), text)
  return join(base, name)
}

const inputsOf = (logs: Record<string, string>) =>
  Object.entries(logs).map(([source, path]) => ({ source, directory: path, prefix: `${source}| ` }))

const collect = async (logs: Record<string, string>, request: Partial<LogRequest> = {}) => {
  let text = ''
  for (const part of readLogs(loadNative(), inputsOf(logs), { ...all, ...request }))
    if (part.kind === 'output') text += part.stdout.toString()
  return text
}

/** Follows until `isOver`, or the signal fires. */
class Following {
  text = ''
  wake: () => void = () => {}
  readonly ended: Promise<string>
  readonly #arrivals: LogInput<string, string>[]

  constructor(
    inputs: readonly LogInput<string, string>[],
    follow: Partial<Follow<string, string>>,
    request: Partial<LogRequest> = {},
  ) {
    this.#arrivals = [...inputs]
    this.ended = this.#run(follow, request)
  }

  add(input: LogInput<string, string>): void {
    this.#arrivals.push(input)
    this.wake()
  }

  async shows(wanted: string, limitMs = 3000): Promise<void> {
    const deadline = Date.now() + limitMs
    while (this.text !== wanted) {
      if (Date.now() > deadline) assert.is(this.text, wanted)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async #run(follow: Partial<Follow<string, string>>, request: Partial<LogRequest>): Promise<string> {
    const parts = followLogs<string, string>(
      loadNative(),
      { ...all, ...request },
      {
        arrivals: () => this.#arrivals.splice(0),
        isOver: () => false,
        onNews: (wake) => {
          this.wake = wake
        },
        signal: undefined,
        ...follow,
      },
    )
    for await (const part of parts)
      this.text += part.kind === 'output' ? part.stdout.toString() : `${part.source} ${part.notice}\n`
    return this.text
  }
}
const nowLine = (text: string, stream = 'stdout', tag = 'F', ago = 0) =>
  `${logTime(Date.now() - ago)} ${stream} ${tag} ${text}\n`

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

test('a part whose end never came stands before later lines of others', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, 'first') + line(3, 'par', 'stdout', 'P') })
  const b = directory(base, 'b', { 1: line(2, 'between') + line(4, 'later') + line(5, 'last') })
  assert.is(await collect({ a, b }), 'a| first\nb| between\na| par\nb| later\nb| last\n')
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

test('tail counts a last line without its end as a line', async ({ base }) => {
  const a = directory(base, 'a', {
    1: line(1, '1') + line(2, 'er', 'stderr', 'P') + line(3, '2') + line(4, 'cut', 'stdout', 'P'),
  })
  assert.is(await collect({ a }, { tail: 0 }), '')
  assert.is(await collect({ a }, { tail: 1 }), 'a| cut\n')
  assert.is(await collect({ a }, { tail: 2 }), 'a| 2\na| cut\n')
  const three = await collect({ a }, { tail: 3 })
  assert.equal(three.split('\n').sort(), ['', 'a| 2', 'a| cut', 'a| er'])
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

test('following gives what comes, through rotation, until it is over', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, '1') })
  let over = false
  const following = new Following(inputsOf({ a }), { isOver: () => over })
  await following.shows('a| 1\n')
  appendFileSync(join(a, '1'), line(2, '2'))
  await following.shows('a| 1\na| 2\n')
  appendFileSync(join(a, '1'), line(3, '3'))
  writeFileSync(join(a, '2'), line(4, '4'))
  unlinkSync(join(a, '1'))
  await following.shows('a| 1\na| 2\na| 3\na| 4\n')
  appendFileSync(join(a, '2'), line(5, '5') + line(6, 'cut', 'stdout', 'P'))
  over = true
  assert.is(await following.ended, 'a| 1\na| 2\na| 3\na| 4\na| 5\na| cut\n')
})

test('what several write at the same time comes in the order of time', async ({ base }) => {
  const [a, b] = [directory(base, 'a', { 1: '' }), directory(base, 'b', { 1: '' })]
  const abort = new AbortController()
  const following = new Following(inputsOf({ a, b }), { signal: abort.signal })
  // Both are younger than the window for longer than any pause of this process may take.
  const [early, late] = [nowLine('early', 'stdout', 'F', -500), nowLine('late', 'stdout', 'F', -600)]
  appendFileSync(join(b, '1'), late)
  await new Promise((resolve) => setTimeout(resolve, 15))
  assert.is(following.text, '')
  appendFileSync(join(a, '1'), early)
  await following.shows('a| early\nb| late\n')
  abort.abort()
  await following.ended
})

test('a line without its end is shown when it rests, and its rest goes behind it', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, 'one') + line(2, 'name: ', 'stdout', 'P') })
  const b = directory(base, 'b', { 1: '' })
  const abort = new AbortController()
  const following = new Following(inputsOf({ a, b }), { signal: abort.signal })
  await following.shows('a| one\na| name: ')
  appendFileSync(join(a, '1'), nowLine('joe', 'stdout', 'F', 100) + nowLine('again: ', 'stdout', 'P', 100))
  await following.shows('a| one\na| name: joe\na| again: ')
  appendFileSync(join(b, '1'), nowLine('other'))
  await following.shows('a| one\na| name: joe\na| again: \nb| other\n')
  appendFileSync(join(a, '1'), nowLine('rest'))
  await following.shows('a| one\na| name: joe\na| again: \nb| other\na| rest\n')
  abort.abort()
  await following.ended
})

test('what is told of a container comes behind its lines, cut ones too', async ({ base }) => {
  const a = directory(base, 'a', { 1: line(1, 'last', 'stdout', 'P') })
  const notices: Timed<string>[] = []
  let over = false
  const following = new Following([{ source: 'a', directory: a, prefix: 'a| ', notices }], { isOver: () => over })
  notices.push({ time: logTime(Date.now()), notice: 'restarts' })
  appendFileSync(join(a, '1'), nowLine('anew', 'stdout', 'F', -60_000))
  over = true
  assert.is(await following.ended, 'a| last\na restarts\na| anew\n')
})

test('containers that come later are followed from their start, with those whose output is not wanted only told of', async ({
  base,
}) => {
  const a = directory(base, 'a', { 1: line(1, '1') })
  let over = false
  const following = new Following(inputsOf({ a }), { isOver: () => over }, { tail: 0 })
  await following.shows('')
  const b = directory(base, 'b', { 1: line(2, 'b1') })
  following.add({ source: 'b', directory: b, prefix: 'b| ' })
  await following.shows('b| b1\n')
  following.add({
    ...{ source: 'c', directory: undefined, prefix: 'c| ' },
    notices: [{ time: logTime(START), notice: 'ended' }],
  })
  await following.shows('b| b1\nc ended\n')
  over = true
  await following.ended
})

test('a flood does not keep signals from being heard', async ({ base }) => {
  const flood = Array.from({ length: 2000 }, (_, n) => line(n, 'x'.repeat(1000))).join('')
  const a = directory(base, 'a', Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [n, flood])))
  const abort = new AbortController()
  setTimeout(() => abort.abort(), 1)
  const following = new Following(inputsOf({ a }), { signal: abort.signal })
  await following.ended
  assert.ok(following.text.length < 16_000_000, String(following.text.length))
})

test('grep gives the lines whose content matches, whole ones, and tail counts those', async ({ base }) => {
  const a = directory(base, 'a', {
    1: line(1, 'GET /a 200') + line(2, 'long ', 'stdout', 'P') + line(2, 'GET /b 500') + line(3, 'other'),
  })
  const b = directory(base, 'b', { 1: line(1.5, 'GET /c 500', 'stderr') })
  const grep = { pattern: / 5\d\d$/g, highlight: undefined }
  assert.is(await collect({ a, b }, { grep }), 'b| GET /c 500\na| long GET /b 500\n')
  assert.is(await collect({ a }, { grep: { pattern: /GET/g, highlight: undefined }, tail: 1 }), 'a| long GET /b 500\n')
  const shown = { pattern: /\d+$/g, highlight: (match: string) => `<${match}>` }
  assert.is(
    await collect({ a }, { grep: shown, timestamps: true }),
    `a| ${logTime(START + 1000)} GET /a <200>\na| ${logTime(START + 2000)} long GET /b <500>\n`,
  )
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
