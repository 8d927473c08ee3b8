import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isAddress, isIPv4, isIPv6 } from '../../src/units/addresses.ts'
import { formatPortRange, parsePortRange } from '../../src/units/ports.ts'

test('ports and ranges', () => {
  assert.equal(parsePortRange('80'), { first: 80, last: 80 })
  assert.equal(parsePortRange('8000-8010'), { first: 8000, last: 8010 })
  assert.is(formatPortRange({ first: 1, last: 1 }), '1')
  assert.is(formatPortRange({ first: 1, last: 2 }), '1-2')
  for (const text of ['', '65536', '-1', '2-1', '1-', 'a', '1-2-3', ' 1'])
    assert.is(parsePortRange(text), undefined, text)
})

test('IPv4 addresses have four plain decimal parts', () => {
  for (const text of ['0.0.0.0', '127.0.0.1', '255.255.255.255']) assert.ok(isIPv4(text), text)
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.1.1.1', '1.1.1.a', '1.1.1.-1'])
    assert.not.ok(isIPv4(text), text)
})

test('IPv6 addresses have eight groups, or fewer and one ::', () => {
  for (const text of ['::', '::1', 'fe80::1', '2001:db8:0:0:0:0:0:1', '::ffff:1.2.3.4', '1::', 'A:B::C'])
    assert.ok(isIPv6(text), text)
  const wrong = [
    '',
    ':',
    '1:2:3',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::1.2.3',
    'g::',
    '1:2:3:4:5:6:7::8',
  ]
  for (const text of wrong) assert.not.ok(isIPv6(text), text)
  assert.ok(isAddress('::1') && isAddress('1.1.1.1'))
})

test.run()
