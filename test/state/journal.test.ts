import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadNative } from '../../src/native/load.ts'
import { appendEvent, endsSince, JournalReader, trimJournal } from '../../src/state/journal.ts'
import { journalFile, type Roots } from '../../src/state/layout.ts'

const made: string[] = []
const fresh = (): Roots => {
  const root = mkdtempSync(join(tmpdir(), 'journal-'))
  made.push(root)
  return { root, run: root }
}
test.after(() => made.forEach((root) => void rmSync(root, { recursive: true })))

const write = (roots: Roots, action: string, attributes: Record<string, string> = {}): void =>
  appendEvent(roots, { type: 'container', action, id: '0123456789ab', attributes })
const actions = (reader: JournalReader): string[] => [...reader.read()].map(({ action }) => action)

test('what is written is read once, in order, from the start or from now on', () => {
  const roots = fresh()
  write(roots, 'create')
  const whole = new JournalReader(roots, 'start')
  const live = new JournalReader(roots, 'end')
  write(roots, 'start')
  assert.equal(actions(whole), ['create', 'start'])
  assert.equal(actions(live), ['start'])
  assert.equal(actions(whole), [])
})

test('the ends of one container since a time are found, each with its code', () => {
  const roots = fresh()
  const at = (second: number, id: string, action: string, attributes: object) =>
    appendFileSync(
      journalFile(roots),
      `${JSON.stringify({ time: `2026-01-01T00:00:0${second}.000000000Z`, type: 'container', action, id, attributes })}\n`,
    )
  at(1, 'a', 'die', { exitCode: '1' })
  at(2, 'a', 'start', {})
  at(3, 'b', 'die', { exitCode: '2' })
  at(4, 'a', 'die', { exitCode: '3' })
  assert.equal(endsSince(roots, 'a', '2026-01-01T00:00:01.000000000Z'), [
    { time: '2026-01-01T00:00:04.000000000Z', exitCode: 3 },
  ])
})

test('a line counts when it is whole, and one that is none is passed over', () => {
  const roots = fresh()
  const reader = new JournalReader(roots, 'start')
  appendFileSync(journalFile(roots), '{"time":"2026-01-01T00:00:00Z","type":"container","action":"die","id":"a",')
  assert.equal(actions(reader), [])
  appendFileSync(journalFile(roots), '"attributes":{}}\nnonsense\n[]\n{"time":1}\nnull\n')
  write(roots, 'stop')
  assert.equal(actions(reader), ['die', 'stop'])
})

test('a file that comes later, or is replaced, is read from its start', () => {
  const roots = fresh()
  const reader = new JournalReader(roots, 'end')
  write(roots, 'one')
  assert.equal(actions(reader), ['one'])
  renameSync(journalFile(roots), `${journalFile(roots)}.old`)
  write(roots, 'two')
  assert.equal(actions(reader), ['two'])
  writeFileSync(journalFile(roots), '')
  write(roots, 'x')
  assert.equal(actions(reader), ['x'])
})

const LINES = 20_000
const onDisk = (roots: Roots): number => statSync(journalFile(roots)).blocks * 512

test('a long journal gives its front back, and nobody who reads or writes it has to know', () => {
  const roots = fresh()
  const binding = loadNative()
  write(roots, 'first')
  const line = JSON.stringify({
    ...{ time: '2026-01-01T00:00:00Z', type: 'container', action: 'old', id: 'a' },
    attributes: { name: 'x'.repeat(150) },
  })
  appendFileSync(journalFile(roots), `${line}\n`.repeat(LINES))
  const follower = new JournalReader(roots, 'end')
  write(roots, 'last')
  const { size } = statSync(journalFile(roots))
  trimJournal(binding, roots, { mostBytes: size * 2, keptBytes: 4096 })
  assert.is([...new JournalReader(roots, 'start').read()].length, LINES + 2, 'short enough: as it was')
  trimJournal(binding, roots, { mostBytes: 1 << 20, keptBytes: 64 << 10 })
  assert.is(statSync(journalFile(roots)).size, size, 'offsets stay')
  assert.ok(onDisk(roots) <= 128 << 10, String(onDisk(roots)))
  assert.equal(actions(follower), ['last'])
  const left = actions(new JournalReader(roots, 'start'))
  assert.is(left.at(-1), 'last')
  assert.ok(left.length > (64 << 10) / (line.length + 1) - 2 && left.length < 2000, String(left.length))
  write(roots, 'later')
  assert.equal(actions(follower), ['later'])
})

test('a reader that the hole overtakes goes on behind it', () => {
  const roots = fresh()
  const line = `${JSON.stringify({ time: '2026-01-01T00:00:00Z', type: 'container', action: 'old', id: 'a', attributes: {} })}\n`
  appendFileSync(journalFile(roots), line.repeat(LINES))
  write(roots, 'last')
  const reader = new JournalReader(roots, 'start')
  const events = reader.read()
  events.next()
  trimJournal(loadNative(), roots, { mostBytes: 0, keptBytes: 4096 })
  const rest = [...events].map(({ action }) => action)
  assert.is(rest.at(-1), 'last')
  assert.ok(rest.every((action) => action === 'old' || action === 'last'))
})

test.run()
