/**
 * Instructions of both BPF machines as bytes. Classic (linux/filter.h, struct sock_filter): u16 code, u8 jt, u8 jf, u32 k;
 * jumps go forward, jt and jf count instructions to skip. Extended (linux/bpf.h, struct bpf_insn): u8 code, u4 dst,
 * u4 src, s16 offset, s32 immediate.
 */
import assert from 'node:assert'

export interface Classic {
  readonly code: number
  readonly jt: number
  readonly jf: number
  /** u32 */
  readonly k: number
}

export const MAX_CLASSIC_INSTRUCTIONS = 4096
/** jt and jf are one byte. */
export const MAX_CLASSIC_JUMP = 255

export const CLASSIC = {
  load: 0x20,
  jump: 0x05,
  equal: 0x15,
  greater: 0x25,
  greaterEqual: 0x35,
  and: 0x54,
  return: 0x06,
} as const

/** A = 32 bits at `offset` of the data. */
export const load = (offset: number): Classic => ({ code: CLASSIC.load, jt: 0, jf: 0, k: offset })
export const ret = (value: number): Classic => ({ code: CLASSIC.return, jt: 0, jf: 0, k: value })
/** A &= mask */
export const and = (mask: number): Classic => ({ code: CLASSIC.and, jt: 0, jf: 0, k: mask })
/** Skips `distance` instructions, at most 2^32-1. */
export const jump = (distance: number): Classic => ({ code: CLASSIC.jump, jt: 0, jf: 0, k: distance })

export const encodeClassic = (program: readonly Classic[]): Uint8Array => {
  assert(program.length <= MAX_CLASSIC_INSTRUCTIONS, 'a BPF program is too long')
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    assert(jt <= MAX_CLASSIC_JUMP && jf <= MAX_CLASSIC_JUMP, 'a BPF jump is too far')
    view.setUint32(index * 8, code | (jt << 16) | (jf << 24), true)
    view.setUint32(index * 8 + 4, k, true)
  }
  return bytes
}

export interface Extended {
  readonly code: number
  readonly dst: number
  readonly src: number
  readonly offset: number
  readonly immediate: number
}

/** ALU operations are the 64-bit ones. */
export const EXTENDED = {
  loadWord: 0x61,
  moveRegister: 0xbf,
  moveImmediate: 0xb7,
  andImmediate: 0x57,
  shiftRight: 0x77,
  jumpIfEqual: 0x15,
  jumpIfNotEqual: 0x55,
  exit: 0x95,
} as const

export const encodeExtended = (program: readonly Extended[]): Uint8Array => {
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [index, { code, dst, src, offset, immediate }] of program.entries()) {
    view.setUint8(index * 8, code)
    view.setUint8(index * 8 + 1, (src << 4) | dst)
    view.setInt16(index * 8 + 2, offset, true)
    view.setInt32(index * 8 + 4, immediate, true)
  }
  return bytes
}
