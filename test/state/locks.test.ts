import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadNative } from '../../src/native/load.ts'
import { type LockHolder, readHolder, withLock } from '../../src/state/locks.ts'
import { closeScratch, noScratch, openScratch, type Scratch } from './world.ts'

const test = suite<Scratch>('locks', { ...noScratch })
test.before.each(openScratch)
test.after.each(closeScratch)

const lock = (path: string, command: string, waits: (LockHolder | undefined)[] = [], timeoutMs = 5000) => ({
  ...{ path, command, timeoutMs, onWait: (holder: LockHolder | undefined) => void waits.push(holder) },
})

test('the holder stands in the file while it holds, and the file stays', async ({ roots }) => {
  const path = join(roots.root, 'locks', 'a')
  await withLock(loadNative(), lock(path, 'caisson up -d'), async () => {
    assert.equal(readHolder(path), { pid: process.pid, command: 'caisson up -d' })
  })
  assert.ok(existsSync(path))
  assert.is(readFileSync(path, 'utf8'), '')
})

test('a second one waits and says for whom', async ({ roots }) => {
  const path = join(roots.root, 'locks', 'a')
  const waits: (LockHolder | undefined)[] = []
  const order: string[] = []
  const first = withLock(loadNative(), lock(path, 'first'), async () => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    order.push('first')
  })
  await withLock(loadNative(), lock(path, 'second', waits), async () => void order.push('second'))
  await first
  assert.equal(order, ['first', 'second'])
  assert.equal(waits, [{ pid: process.pid, command: 'first' }])
})

test('one that waits too long fails and names the holder; the lock is free after an error', async ({ roots }) => {
  const path = join(roots.root, 'locks', 'a')
  const held = withLock(loadNative(), lock(path, 'caisson down'), async () => {
    const error = await withLock(loadNative(), lock(path, 'late', [], 20), async () => {}).catch(
      (caught: unknown) => caught,
    )
    assert.match((error as Error).message, 'held by caisson down')
    throw new Error('body')
  })
  await held.catch(() => {})
  await withLock(loadNative(), lock(path, 'next', [], 20), async () => {})
})

test('a waiter can be told to give up', async ({ roots }) => {
  const path = join(roots.root, 'locks', 'a')
  const abort = new AbortController()
  await withLock(loadNative(), lock(path, 'holder'), async () => {
    const waiting = withLock(loadNative(), { ...lock(path, 'waiter'), signal: abort.signal }, async () => 'in')
    abort.abort()
    assert.is(await waiting.catch(({ code }) => code), 'EABORTED')
  })
})

test.run()
