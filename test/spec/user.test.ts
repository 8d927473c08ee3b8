import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CaissonError } from '../../src/errors.ts'
import { MAX_ID, resolveUser } from '../../src/spec/user.ts'

const accounts = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    'app:x:1000:1000:App:/home/app:/bin/sh',
    'nohome:x:1001:50::',
    'bare:x:1002:50:::',
    '2000:x:0:0:a number for a name:/root:/bin/sh',
    '+::::::',
    'broken:x:abc:0:::',
    'short:x:3',
    'big:x:4294967296:0:::',
  ].join('\n'),
  group: [
    'root:x:0:',
    'app:x:1000:',
    'staff:x:50:app,other',
    'wheel:x:10:root,app',
    '99:x:0:',
    'bad:x:-1:app',
    'long:x:5:app:more',
  ].join('\n'),
}
const ids = (spec: string) => {
  const { uid, gid, groups } = resolveUser(spec, accounts)
  return `${uid}:${gid} ${groups.join(',')}`
}
const refused = (spec: string, texts: { passwd: string | undefined; group: string | undefined } = accounts) =>
  assert.throws(
    () => resolveUser(spec, texts),
    (error: unknown) => error instanceof CaissonError && error.code === 'EUSER',
    spec,
  )

test('nothing is root', () => {
  assert.is(ids(''), '0:0 0,10')
  assert.is(ids(':'), '0:0 0,10')
})

test('a number takes group and groups from its entry in passwd', () => {
  assert.is(ids('1000'), '1000:1000 1000,50,10')
  assert.is(ids('1000:'), '1000:1000 1000,50,10')
  assert.is(ids('01000'), '1000:1000 1000,50,10')
})

test('a number without an entry has group 0 and no others', () => {
  assert.is(ids('4711'), '4711:0 0')
})

test('a name is looked up, with its groups', () => {
  assert.is(ids('app'), '1000:1000 1000,50,10')
})

test('a group that is given stands alone', () => {
  assert.is(ids('app:staff'), '1000:50 50')
  assert.is(ids('1:2'), '1:2 2')
  assert.is(ids(':1'), '0:1 1')
  assert.is(ids('4711:wheel'), '4711:10 10')
})

test('a number is never taken for a name', () => {
  assert.is(ids('2000'), '2000:0 0')
  assert.is(ids('1:99'), '1:99 99')
})

test('ids beyond 2^31-1 are refused, not wrapped', () => {
  for (const spec of ['2147483648', '4294967296', '4294967295', '1:2147483648', '99999999999999999999']) refused(spec)
  assert.is(ids('2147483647'), '2147483647:0 0')
})

test('what is neither name nor number is unknown', () => {
  for (const spec of ['-1', '+1', '1.5', '0x0', 'nobody-here', 'app:nogroup', 'broken', 'short', 'big', ' root'])
    refused(spec)
})

test('without passwd there are only numbers', () => {
  const none = { passwd: undefined, group: undefined }
  assert.equal(resolveUser('7:8', none), { uid: 7, gid: 8, groups: [8], home: '/' })
  refused('root', none)
})

test('home is that of passwd, else the root', () => {
  assert.is(resolveUser('app', accounts).home, '/home/app')
  assert.is(resolveUser('bare', accounts).home, '/')
  assert.is(resolveUser('4711', accounts).home, '/')
})

test('a huge group file is cut, not swallowed', () => {
  const group = `big:x:7:${'a'.repeat(64 * 1024 * 1024)}\n`
  const before = process.cpuUsage() // not the clock: other tests run beside this one
  assert.equal(resolveUser('app', { passwd: accounts.passwd, group }).groups, [1000])
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 1_000_000)
})

test('whatever an image puts into its files, the answer is a user in range or EUSER', () => {
  const field = fc.oneof(fc.string(), fc.constantFrom('', 'app', '0', '1000', '-1', '4294967296', '0x0', ':'))
  const text = fc
    .array(fc.array(field, { maxLength: 9 }).map((fields) => fields.join(':')))
    .map((found) => found.join('\n'))
  fc.assert(
    fc.property(field, text, text, (spec, passwd, group) => {
      try {
        const { uid, gid, groups } = resolveUser(spec, { passwd, group })
        for (const id of [uid, gid, ...groups]) assert.ok(Number.isInteger(id) && id >= 0 && id <= MAX_ID)
        if (/^[1-9][0-9]*$/.test(spec)) assert.is(uid, Number(spec))
      } catch (error) {
        if (!(error instanceof CaissonError)) throw error
        assert.is(error.code, 'EUSER')
      }
    }),
  )
})

test.run()
