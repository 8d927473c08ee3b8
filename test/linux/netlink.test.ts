import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  eachAttribute,
  errnoOf,
  findAttribute,
  NetlinkWriter,
  readMessages,
  readText,
} from '../../src/linux/netlink.ts'

const hex = (buffer: Buffer) => buffer.toString('hex')
const write = (body: (out: NetlinkWriter) => void): Buffer => {
  const out = new NetlinkWriter()
  body(out)
  return out.bytes()
}

test('an attribute is its length, its type and its content, padded to four bytes', () => {
  assert.is(hex(write((out) => out.attribute(3, Buffer.from([1, 2, 3, 4])))), '0800030001020304')
  assert.is(hex(write((out) => out.text(1, 'ab'))), '0700010061620000')
  assert.is(hex(write((out) => out.number(2, -2))), '08000200fffffffe')
  const nested = write((out) => out.nest(4, () => out.attribute(1, Buffer.from([9]))))
  assert.is(hex(nested), '0c000480' + '0500010009000000')
})

test('a message has its own length and is read back as it was', () => {
  const header = { type: 0xa00, flags: 5, sequence: 7 }
  const bytes = write((out) => out.message(header, () => out.attribute(1, Buffer.from('x'))))
  assert.is(hex(bytes), '18000000' + '000a' + '0500' + '07000000' + '00000000' + '0500010078000000')
  const message = { ...header, body: bytes.subarray(16) }
  assert.equal([...readMessages(Buffer.concat([bytes, bytes]))], [message, message])
})

test('the buffer grows with what is written, and fresh bytes are zero', () => {
  const bytes = write((out) => {
    for (let index = 0; index < 300; index += 1) out.attribute(1, Buffer.alloc(61, 1))
  })
  assert.is(bytes.length, 300 * 68)
  assert.is(hex(bytes.subarray(-4)), '01000000')
})

test('attributes are read back, without their flags', () => {
  const bytes = write((out) => {
    out.text(1, 'table')
    out.nest(4, () => out.attribute(2, Buffer.from([8])))
  })
  assert.is(readText(findAttribute(bytes, 1)), 'table')
  assert.equal(findAttribute(findAttribute(bytes, 4), 2), Buffer.from([8]))
  assert.is(findAttribute(bytes, 9), undefined)
  assert.equal(
    [...eachAttribute(bytes)].map(([type]) => type),
    [1, 4],
  )
})

test('what is truncated ends the reading', () => {
  const bytes = write((out) => out.message({ type: 2, flags: 0, sequence: 1 }, () => out.raw(0, 0, 0, 0)))
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
