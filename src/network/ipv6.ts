/** IPv6 addresses from text, for host addresses that ports are published on and for upstreams. */
import { isIPv4, isIPv6 } from '../units/addresses.ts'
import { bytesOf } from './ipv4.ts'

const GROUPS = 8

const groupsOf = (half: string): readonly number[] =>
  half === ''
    ? []
    : half.split(':').flatMap((group) => {
        if (!isIPv4(group)) return [Number.parseInt(group, 16)]
        const tail = bytesOf(group)
        return [tail.readUInt16BE(0), tail.readUInt16BE(2)]
      })

/** 16 bytes, network order. Throws TypeError for text that is no IPv6 address. */
export const bytesOfIPv6 = (text: string): Buffer => {
  if (!isIPv6(text)) throw new TypeError(`not an IP address: ${text}`)
  const [head = '', tail] = text.split('::')
  const first = groupsOf(head)
  const last = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array<number>(GROUPS - first.length - last.length).fill(0)
  const buffer = Buffer.alloc(GROUPS * 2)
  for (const [index, group] of [...first, ...zeros, ...last].entries()) buffer.writeUInt16BE(group, index * 2)
  return buffer
}
