/** Textual IP addresses, without node:net (pure, and no module to load). */

const isOctet = (text: string): boolean => /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) <= 255

export const isIPv4 = (text: string): boolean => {
  const parts = text.split('.')
  return parts.length === 4 && parts.every(isOctet)
}

const groupCount = (text: string, allowIPv4: boolean): number | undefined => {
  if (text === '') return 0
  const groups = text.split(':')
  const last = groups.at(-1) ?? ''
  const tail = allowIPv4 && last.includes('.') ? groups.pop() : undefined
  if (tail !== undefined && !isIPv4(tail)) return undefined
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.length + (tail === undefined ? 0 : 2)
}

export const isIPv6 = (text: string): boolean => {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const [head = '', tail] = halves
  const first = groupCount(head, tail === undefined)
  if (first === undefined) return false
  if (tail === undefined) return first === 8
  const second = groupCount(tail, true)
  return second !== undefined && first + second < 8
}

export const isAddress = (text: string): boolean => isIPv4(text) || isIPv6(text)
