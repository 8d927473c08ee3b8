/** Two tiny BPF machines, written from the specifications and not from the encoders, that tests run programs on. */
import assert from 'node:assert'

export interface SeccompData {
  readonly number: number
  readonly architecture: number
  readonly args?: readonly bigint[]
}

const seccompData = ({ number, architecture, args = [] }: SeccompData): DataView => {
  const view = new DataView(new ArrayBuffer(64))
  view.setInt32(0, number, true)
  view.setUint32(4, architecture, true)
  for (const [index, value] of args.entries()) view.setBigUint64(16 + 8 * index, BigInt.asUintN(64, value), true)
  return view
}

/** Classic BPF as seccomp(2) runs it: the return value, unsigned. */
export const runClassic = (program: Uint8Array, input: SeccompData): number => {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const data = seccompData(input)
  let a = 0
  for (let pc = 0; ; pc++) {
    assert(pc * 8 < program.length, 'ran off the end')
    const op = code.getUint16(pc * 8, true)
    const [jt, jf, k] = [code.getUint8(pc * 8 + 2), code.getUint8(pc * 8 + 3), code.getUint32(pc * 8 + 4, true)]
    const branch = (taken: boolean): void => {
      pc += taken ? jt : jf
    }
    if (op === 0x20) a = data.getUint32(k, true)
    else if (op === 0x54) a = (a & k) >>> 0
    else if (op === 0x05) pc += k
    else if (op === 0x15) branch(a === k)
    else if (op === 0x25) branch(a > k)
    else if (op === 0x35) branch(a >= k)
    else if (op === 0x06) return k
    else assert.fail(`unknown instruction 0x${op.toString(16)} at ${pc}`)
  }
}

export interface DeviceAccess {
  readonly type: 'b' | 'c'
  readonly major: number
  readonly minor: number
  /** Some of `rwm`. */
  readonly access: string
}

const ACCESS: Readonly<Record<string, bigint>> = { m: 1n, r: 2n, w: 4n }

const deviceContext = ({ type, major, minor, access }: DeviceAccess): DataView => {
  const view = new DataView(new ArrayBuffer(12))
  const bits = [...access].reduce((sum, letter) => sum | (ACCESS[letter] ?? 0n), 0n)
  view.setUint32(0, Number((bits << 16n) | (type === 'b' ? 1n : 2n)), true)
  view.setUint32(4, major, true)
  view.setUint32(8, minor, true)
  return view
}

interface Registers {
  read(register: number): bigint
  write(register: number, value: bigint): void
}

const registers = (): Registers => {
  const values = new Array<bigint | undefined>(11)
  return {
    read(register) {
      const value = values[register]
      assert(value !== undefined, `r${register} is read before it is set`)
      return value
    },
    write(register, value) {
      values[register] = value
    },
  }
}

/** New value of a register from its old one and the operand. */
const ALU: Readonly<Record<number, (old: () => bigint, operand: bigint) => bigint>> = {
  183: (_, operand) => operand, // 0xb7 mov
  87: (old, operand) => old() & operand, // 0x57 and
  119: (old, operand) => old() >> operand, // 0x77 shift right
}

/** Extended BPF, the few instructions that a device filter has: whether it allows the access. */
export const runDeviceFilter = (program: Uint8Array, input: DeviceAccess): boolean => {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const context = deviceContext(input)
  const { read, write } = registers()
  for (let pc = 0; ; pc++) {
    assert(pc * 8 < program.length, 'ran off the end')
    const op = code.getUint8(pc * 8)
    const [dst, src] = [code.getUint8(pc * 8 + 1) & 15, code.getUint8(pc * 8 + 1) >> 4]
    const [offset, immediate] = [code.getInt16(pc * 8 + 2, true), BigInt(code.getInt32(pc * 8 + 4, true))]
    const compute = ALU[op]
    if (compute)
      write(
        dst,
        compute(() => read(dst), immediate),
      )
    else if (op === 0x61) write(dst, BigInt(context.getUint32(offset, true)))
    else if (op === 0xbf) write(dst, read(src))
    else if (op === 0x15) pc += read(dst) === immediate ? offset : 0
    else if (op === 0x55) pc += read(dst) !== immediate ? offset : 0
    else if (op === 0x95) return read(0) !== 0n
    else assert.fail(`unknown instruction 0x${op.toString(16)} at ${pc}`)
  }
}
