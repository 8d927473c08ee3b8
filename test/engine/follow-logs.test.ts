import { appendFileSync, closeSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { follow } from '../../src/engine/follow-logs.ts'
import type { EngineOptions, LogOptions } from '../../src/engine/types.ts'
import { encodeFrame, u32Fields } from '../../src/monitor/frames.ts'
import { FRAME, HEALTH, PROTOCOL_VERSION, STATE } from '../../src/monitor/protocol.ts'
import { loadNative } from '../../src/native/load.ts'
import { containerPaths, journalFile, runPaths } from '../../src/state/layout.ts'

const ID = '0123456789ab'
const scratch = mkdtempSync(join(tmpdir(), 'follow-'))
test.after(() => rmSync(scratch, { recursive: true }))

const options: LogOptions = {
  ...{ services: [], index: undefined, follow: true, since: '2026-01-01T00:00:00.000000000Z', until: '' },
  ...{ tail: undefined, timestamps: false, separate: false, grep: undefined, prefix: () => '' },
  ...{ signal: undefined, silent: undefined, expecting: undefined },
}

/** A container whose monitor says `words` to whoever connects, in one piece; with the codes of its ends in the journal. */
const pretend = async (words: Buffer, codes: readonly number[]) => {
  const roots = { root: join(scratch, 'root'), run: join(scratch, 'run') }
  const run = runPaths(roots, ID)
  for (const path of [containerPaths(roots, ID).log, run.directory, join(roots.root, 'locks')])
    mkdirSync(path, { recursive: true })
  const record = {
    version: 1,
    id: ID,
    name: 'p-a-1',
    project: 'p',
    service: 'a',
    number: 1,
    definition: { attach: true },
  }
  writeFileSync(containerPaths(roots, ID).record, JSON.stringify(record))
  for (const [second, exitCode] of codes.entries())
    appendFileSync(
      journalFile(roots),
      `${JSON.stringify({ time: `2026-01-01T00:00:0${second + 1}.000000000Z`, type: 'container', action: 'die', id: ID, attributes: { exitCode: `${exitCode}` } })}\n`,
    )
  const alive = loadNative().lock(run.alive)
  const server = createServer((socket) => socket.on('error', () => {}).write(words))
  await new Promise<void>((resolve) => server.listen(run.control, resolve))
  const close = (): void => {
    server.close()
    if (alive !== undefined) closeSync(alive)
  }
  return { engine: roots as EngineOptions, close }
}

test('a restart before the first words, which come in one piece with the next one, is told too, in its place', async () => {
  const words = Buffer.concat([
    encodeFrame(FRAME.hello, u32Fields(PROTOCOL_VERSION, 0, STATE.running, 42, HEALTH.none, 1, 5)),
    encodeFrame(FRAME.changed, u32Fields(STATE.restarting, HEALTH.none, 1, 4)),
  ])
  const { engine, close } = await pretend(words, [5, 4])
  const leaving = new AbortController()
  const deadline = setTimeout(() => leaving.abort(), 10_000)
  const codes: number[] = []
  const { since, until, tail, timestamps, separate, grep } = options
  const request = { since, until, tail, timestamps, separate, grep }
  for await (const item of follow(engine, 'p', { ...options, signal: leaving.signal }, request)) {
    if (item.kind === 'exit') codes.push(item.exitCode)
    if (codes.length === 2) leaving.abort()
  }
  clearTimeout(deadline)
  close()
  assert.equal(codes, [5, 4])
})

test.run()
