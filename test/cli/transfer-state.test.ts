import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drawTransfers } from '../../src/cli/render/transfer.ts'
import { follow, formatTransfers, type Transfers } from '../../src/cli/render/transfer-state.ts'
import { plainStyle } from '../../src/cli/render/style.ts'
import { CaissonError } from '../../src/errors.ts'
import type { BlobEvent, ImageEvent } from '../../src/index.ts'

const image = (name: string, state: 'started' | 'unchanged' | 'done' = 'started'): ImageEvent =>
  state === 'started'
    ? { kind: 'image', direction: 'pull', image: name, state }
    : { kind: 'image', direction: 'pull', image: name, state, digest: 'sha256:1', milliseconds: 2345 }

const blob = (digest: string, phase: BlobEvent['phase'], bytes: number, name = 'redis:7'): BlobEvent => ({
  ...{ kind: 'blob', direction: 'pull', image: name, digest: `sha256:${digest.repeat(16)}`, phase, bytes },
  size: 10_000_000,
})

const after = (...events: readonly (ImageEvent | BlobEvent)[]): Transfers =>
  events.reduce((state, event) => follow(state, event), new Map() as Transfers)

const lines = (transfers: Transfers, rows = 24, speed = 0) =>
  formatTransfers(transfers, new Map([['redis:7', speed]]), rows)

test('an image that comes has its bytes, its speed and what is left', () => {
  const [line, first] = lines(after(image('redis:7'), blob('abcd', 'downloading', 2_500_000)), 24, 2_500_000)
  assert.is(line, ' Image redis:7  Pulling  2.5MB / 10MB  2.5MB/s  3.0s left')
  assert.is(first, '   abcdabcdabcd  Downloading [=====>              ] 2.5MB / 10MB')
})

test('what is here already is no part of the way', () => {
  const [line] = lines(after(image('redis:7'), blob('abcd', 'here', 10_000_000), blob('ef01', 'downloading', 0)))
  assert.is(line, ' Image redis:7  Pulling  0B / 10MB')
})

test('an image that has come is one line with what came and how long it took', () => {
  const done = after(image('redis:7'), blob('abcd', 'done', 10_000_000), image('redis:7', 'done'))
  assert.equal(lines(done), [' Image redis:7  Pulled  10MB  2.3s'])
  assert.equal(lines(after(image('redis:7'), image('redis:7', 'unchanged'))), [' Image redis:7  Up to date  2.3s'])
})

test('a failure is one line: its message comes at the end', () => {
  const error = new CaissonError('ENOTFOUND', 'not there')
  const failed: ImageEvent = { kind: 'image', direction: 'pull', image: 'redis:7', state: 'failed', error }
  assert.equal(lines(after(image('redis:7'), failed)), [' Image redis:7  Error'])
  const interrupted = { ...failed, error: new CaissonError('EABORTED', 'interrupted') }
  assert.equal(lines(after(image('redis:7'), interrupted)), [' Image redis:7  Interrupted'])
})

test('no more lines than the terminal has', () => {
  const many = Array.from({ length: 60 }, (_, index) => blob(index.toString(16).padStart(4, '0'), 'downloading', 1))
  const shown = lines(after(image('redis:7'), image('nginx', 'done'), ...many), 10)
  assert.ok(shown.length <= 10, String(shown.length))
  assert.ok(shown.some((line) => line.includes('nginx')))
  const images = Array.from({ length: 60 }, (_, index) => image(`image-${index}`, index < 40 ? 'done' : 'started'))
  const few = lines(after(...images), 10)
  assert.is(few.length, 9)
  assert.is(few[0], ' Image image-40  Pulling')
  assert.is(few.at(-1), ' … and 52 more')
})

test('the block is written over, and stays when it is over', () => {
  const written: string[] = []
  const stderr = {
    write: (text: string | Uint8Array) => void written.push(String(text)),
    ...{ drained: async () => {}, isTTY: true, columns: 30, style: plainStyle },
  }
  const drawing = drawTransfers({ stderr }, () => 24)
  drawing.show(image('redis:7'))
  drawing.show(blob('abcd', 'downloading', 1))
  drawing.finish()
  const [last = ''] = written.slice(-1)
  assert.ok(last.endsWith('\n'))
  for (const line of last.replaceAll(/\x1b\[[0-9]*[AJ]/g, '').split('\n')) assert.ok([...line].length <= 30, line)
})

test.run()
