/** Writes tar archives for tests, hostile ones too. */
export interface TarItem {
  readonly name: string
  readonly type?: string
  readonly link?: string
  readonly mode?: number
  readonly body?: string
  readonly uid?: number
}

const BLOCK = 512
const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`

export const header = ({ name, type = '0', link = '', mode = 0o644, body = '', uid = 0 }: TarItem): Buffer => {
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0, 100)
  block.write(octal(mode, 8), 100)
  block.write(octal(uid, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(Buffer.byteLength(body), 12), 124)
  block.write(octal(1_700_000_000, 12), 136)
  block.write('        ', 148)
  block.write(type, 156)
  block.write(link, 157, 100)
  block.write('ustar\0', 257)
  block.write('00', 263)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

const padded = (body: string) => {
  const bytes = Buffer.from(body)
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}

export const archive = (items: readonly TarItem[]): Buffer =>
  Buffer.concat([...items.flatMap((item) => [header(item), padded(item.body ?? '')]), Buffer.alloc(2 * BLOCK)])

/** One PAX record, with its own length counted in. */
export const paxRecord = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}

/** In pieces of an odd size, so that every read meets a border. */
export async function* inPieces(bytes: Buffer, size = 777): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
