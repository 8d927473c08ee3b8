import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attribute,
  eachAttribute,
  encodeMessage,
  errnoOf,
  nested,
  readAttributes,
  readMessages,
  readText,
  textAttribute,
} from '../../src/linux/netlink.ts'

const hex = (buffer: Buffer) => buffer.toString('hex')

test('an attribute is its length, its type and its content, padded to four bytes', () => {
  assert.is(hex(attribute(3, Buffer.from([1, 2, 3, 4]))), '0800030001020304')
  assert.is(hex(textAttribute(1, 'ab')), '0700010061620000')
  assert.is(hex(nested(4, attribute(1, Buffer.from([9])))), '0c000480' + '0500010009000000')
})

test('a message has its own length and is read back as it was', () => {
  const message = { type: 0xa00, flags: 5, sequence: 7, body: attribute(1, Buffer.from('x')) }
  const bytes = encodeMessage(message)
  assert.is(hex(bytes), '18000000' + '000a' + '0500' + '07000000' + '00000000' + '0500010078000000')
  assert.equal([...readMessages(Buffer.concat([bytes, bytes]))], [message, message])
})

test('attributes are read back, without their flags', () => {
  const bytes = Buffer.concat([textAttribute(1, 'table'), nested(4, attribute(2, Buffer.from([8])))])
  assert.is(readText(readAttributes(bytes).get(1)), 'table')
  assert.equal(
    [...eachAttribute(bytes)].map(([type]) => type),
    [1, 4],
  )
})

test('what is truncated ends the reading', () => {
  const bytes = encodeMessage({ type: 2, flags: 0, sequence: 1, body: Buffer.alloc(8) })
  for (let length = 0; length < bytes.length; length += 1)
    assert.is([...readMessages(bytes.subarray(0, length))].length, 0)
  assert.equal([...eachAttribute(Buffer.from([3, 0, 1, 0, 0]))], [])
})

test('an acknowledgement is errno 0, a refusal its errno', () => {
  const error = (value: number) => {
    const body = Buffer.alloc(20)
    body.writeInt32LE(value)
    return errnoOf({ type: 2, flags: 0, sequence: 1, body })
  }
  assert.is(error(0), 0)
  assert.is(error(-17), 17)
  assert.is(errnoOf({ type: 3, flags: 0, sequence: 1, body: Buffer.alloc(4) }), undefined)
})

test.run()
