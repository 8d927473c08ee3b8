import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeClassic, encodeExtended, ret } from '../../src/linux/bpf.ts'

test('a classic instruction is code, two jumps and a 32-bit operand', () => {
  const bytes = encodeClassic([{ code: 0x15, jt: 1, jf: 255, k: 0xc000003e }])
  assert.equal([...bytes], [0x15, 0, 1, 255, 0x3e, 0, 0, 0xc0])
})

test('an extended instruction packs its registers into one byte and signs its numbers', () => {
  const bytes = encodeExtended([{ code: 0x61, dst: 2, src: 1, offset: -2, immediate: -1 }])
  assert.equal([...bytes], [0x61, 0x12, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff])
})

test('a jump that does not fit a byte is refused', () => {
  assert.throws(() => encodeClassic([{ code: 0x15, jt: 256, jf: 0, k: 0 }, ret(0)]))
})

test('a program longer than the kernel takes is refused', () => {
  assert.throws(() => encodeClassic(new Array(4097).fill(ret(0))))
})

test.run()
