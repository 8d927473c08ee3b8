import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readChains, readElements, readExpressions, readRules } from '../../src/linux/nf-dump.ts'
import { accept, compare, jump, meta, R1 } from '../../src/linux/nf-expressions.ts'
import { readMessages } from '../../src/linux/netlink.ts'
import {
  addBaseChain,
  addElements,
  addSet,
  addTable,
  appendRule,
  concatKey,
  deleteElements,
  encodeBatch,
  encodeDump,
  dumpRules,
  FAMILY,
  HOOK,
  insertRule,
  PART,
  VERDICT,
} from '../../src/linux/nf-tables.ts'

const TABLE = { family: FAMILY.ip, table: 't' }
const hex = (buffer: Buffer) => buffer.toString('hex')
const bodies = (batch: Buffer) => [...readMessages(batch)].map(({ body }) => hex(body))

test('a batch begins, acknowledges each message, and ends', () => {
  const messages = [...readMessages(encodeBatch([addTable(TABLE), addTable(TABLE)]))]
  assert.equal(
    messages.map(({ type, flags, sequence }) => [type, flags, sequence]),
    [
      [0x10, 1, 0],
      [0xa00, 0x405, 1],
      [0xa00, 0x405, 2],
      [0x11, 1, 3],
    ],
  )
  assert.equal(bodies(encodeBatch([])), ['0000000a', '0000000a'])
})

test('a base chain has its hook, priority, policy and type', () => {
  const chain = addBaseChain({ ...TABLE, chain: 'c', type: 'nat', hook: HOOK.output, priority: -100, policy: 'drop' })
  assert.is(
    bodies(encodeBatch([chain]))[1],
    [
      '02000000',
      '0600010074000000',
      '0600030063000000',
      '14000480' + '0800010000000003' + '08000200ffffff9c',
      '0800050000000000',
      '080007006e617400',
    ].join(''),
  )
})

test('a rule is a list of named expressions with a comment', () => {
  const rule = { ...TABLE, chain: 'c', comment: 'why', expressions: [meta('iifname', R1), accept] }
  assert.is(
    bodies(encodeBatch([appendRule(rule)]))[1],
    [
      '02000000',
      '0600010074000000',
      '0600020063000000',
      '58000480',
      '24000180' + '090001006d65746100000000' + '14000280' + '0800010000000001' + '0800020000000006',
      '30000180' + '0e000100696d6d65646961746500' + '0000' + '1c000280',
      '0800010000000000' + '10000280' + '0c000280' + '0800010000000001',
      '0a000700' + '000477687900' + '0000',
    ].join(''),
  )
})

test('rules are appended, or put first', () => {
  const rule = { ...TABLE, chain: 'c', comment: '', expressions: [] }
  const flags = [...readMessages(encodeBatch([appendRule(rule), insertRule(rule)]))].map(({ flags }) => flags)
  assert.equal(flags.slice(1, 3), [0xc05, 0x405])
})

test('what a rule says can be read back', () => {
  const expressions = [meta('oifname', R1), compare(R1, 'eq', Buffer.from('cs-')), accept]
  const batch = encodeBatch([
    appendRule({ ...TABLE, chain: 'one', comment: 'let through', expressions }),
    appendRule({ ...TABLE, chain: 'two', comment: '', expressions: [jump('one')] }),
  ])
  const rules = readRules(batch)
  assert.equal(
    rules.map(({ family, table, chain, comment }) => [family, table, chain, comment]),
    [
      [2, 't', 'one', 'let through'],
      [2, 't', 'two', ''],
    ],
  )
  assert.equal(rules.map(readExpressions), [
    { names: ['meta', 'cmp', 'immediate'], verdict: VERDICT.accept },
    { names: ['immediate'], verdict: VERDICT.jump },
  ])
})

test('chains are read with what they hook into, others without', () => {
  const base = { ...TABLE, chain: 'c', type: 'filter', hook: HOOK.forward, priority: -5, policy: 'accept' } as const
  assert.equal(readChains(encodeBatch([addBaseChain(base)])), [
    { family: 2, table: 't', chain: 'c', base: { hook: 2, priority: -5, policy: 1 } },
  ])
})

test('keys of several parts are padded to four bytes each', () => {
  assert.is(hex(concatKey(Buffer.from([6]), Buffer.from([0x1f, 0x90]))), '06000000' + '1f900000')
})

test('a set is as wide as its padded parts, a single part as wide as it is', () => {
  const define = (key: (typeof PART)[keyof typeof PART][]) =>
    bodies(encodeBatch([addSet({ ...TABLE, name: 's', key, id: 1 })]))[1] ?? ''
  assert.match(define([PART.service]), '080004000000000d' + '0800050000000002')
  assert.match(define([PART.protocol, PART.service]), '080004000000030d' + '0800050000000008')
})

test('elements are read back as they were added', () => {
  const set = { ...TABLE, name: 's' }
  const element = { key: Buffer.from('0a000001', 'hex'), data: Buffer.from('0a000002' + '00500000', 'hex') }
  assert.equal(readElements(encodeBatch([addElements(set, [element])])), [element])
  const removed = [...readMessages(encodeBatch([deleteElements(set, [{ key: element.key }])]))][1]
  assert.equal([removed?.type, removed?.flags], [0xa0e, 5])
})

test('a dump asks for one table, or for one chain of it', () => {
  assert.is(hex(encodeDump({ ...dumpRules(TABLE) }).subarray(16)), '02000000' + '0600010074000000')
  const chain = encodeDump(dumpRules({ ...TABLE, chain: 'c' })).subarray(16)
  assert.is(hex(chain), '02000000' + '0600010074000000' + '0600020063000000')
})

test('no reader fails on what is not a dump, or only a part of one', () => {
  const dump = encodeBatch([
    addBaseChain({ ...TABLE, chain: 'c', type: 'filter', hook: HOOK.input, priority: 0, policy: 'accept' }),
    appendRule({ ...TABLE, chain: 'c', comment: 'why', expressions: [meta('mark', R1), accept] }),
    addElements({ ...TABLE, name: 's' }, [{ key: Buffer.from([1, 2, 3, 4]) }]),
  ])
  const readAll = (bytes: Buffer): void => {
    readChains(bytes)
    readElements(bytes)
    for (const rule of readRules(bytes)) readExpressions(rule)
  }
  const change = fc.record({ at: fc.nat(dump.length - 1), value: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.nat(dump.length), (changes, length) => {
      const bytes = Buffer.from(dump)
      for (const { at, value } of changes) bytes[at] = value
      readAll(bytes.subarray(0, length))
    }),
    { numRuns: 2000 },
  )
})

test.run()
