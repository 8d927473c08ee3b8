import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type ClaimContext, claim, claimOwner, claimPath, listClaims, release } from '../../src/network/claims.ts'

let run: string
const dead = new Set<string>()
const context = (): ClaimContext => ({
  run,
  owners: { exists: (_, owner) => !dead.has(owner), describe: (_, owner) => owner },
})

test.before.each(() => {
  run = mkdtempSync(join(tmpdir(), 'caisson-claims-'))
  dead.clear()
})
test.after.each(() => rmSync(run, { recursive: true }))

test('a claim has one owner', () => {
  assert.equal(claim(context(), 'subnet', '10.208.0.0-24', 'one'), { state: 'claimed', takenOver: false })
  assert.equal(claim(context(), 'subnet', '10.208.0.0-24', 'two'), { state: 'taken', owner: 'one' })
  assert.is(claimOwner(context(), 'subnet', '10.208.0.0-24'), 'one')
})

test('to claim again what one has succeeds', () => {
  claim(context(), 'ip', 'net.10.208.0.2', 'one')
  assert.equal(claim(context(), 'ip', 'net.10.208.0.2', 'one'), { state: 'claimed', takenOver: false })
})

test('kinds do not meet', () => {
  claim(context(), 'ip', 'key', 'one')
  assert.is(claim(context(), 'port', 'key', 'two').state, 'claimed')
})

test('a claim whose owner is gone is taken over, and nothing is left beside it', () => {
  claim(context(), 'port', 'tcp-::-8080', 'one')
  dead.add('one')
  assert.equal(claim(context(), 'port', 'tcp-::-8080', 'two'), { state: 'claimed', takenOver: true })
  assert.equal([...listClaims(context(), 'port')], [['tcp-::-8080', 'two']])
  assert.equal(readdirSync(join(run, 'claims/port')), ['tcp-::-8080'])
})

test('only the owner gives a claim back, and it may do so twice', () => {
  claim(context(), 'port', 'key', 'one')
  release(context(), 'port', 'key', 'two')
  assert.is(claimOwner(context(), 'port', 'key'), 'one')
  release(context(), 'port', 'key', 'one')
  release(context(), 'port', 'key', 'one')
  assert.is(claimOwner(context(), 'port', 'key'), undefined)
})

test('where nothing was ever claimed there is nothing to list', () => {
  assert.is(listClaims(context(), 'name').size, 0)
})

test('the path of a claim is what an undo list removes', () => {
  assert.is(claimPath({ run: '/run/caisson' }, 'ip', 'n.10.0.0.1'), '/run/caisson/claims/ip/n.10.0.0.1')
})

test.run()
