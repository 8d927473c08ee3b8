/** Unpacks archives of tests as layers come: through a socket, in pieces of an odd size. */
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { refusal } from '../../src/image/layer.ts'
import type { UnpackedArchive } from '../../src/native/binding.ts'
import { loadNative } from '../../src/native/load.ts'
import { archive, inPieces, type TarItem } from './archive.ts'

const uid = process.getuid?.() ?? 0

/** Entries that this user may own. */
export const own = (items: readonly TarItem[]): readonly TarItem[] => items.map((item) => ({ uid, ...item }))

/** `lower`: a layer above those; undefined: a root filesystem. */
export const extract = async (bytes: Buffer, root: string, lower?: readonly string[]): Promise<UnpackedArchive> => {
  const binding = loadNative()
  const [ours, theirs] = binding.socketPair()
  const socket = new Socket({ fd: ours, readable: false }).on('error', () => {})
  const sending = pipeline(inPieces(bytes), socket).catch(() => {})
  try {
    return await binding.unpackArchive(theirs, root, { layer: lower !== undefined, lower: lower ?? [] })
  } catch (error) {
    throw refusal(error)
  } finally {
    closeSync(theirs)
    await sending
  }
}

export const unpack = (root: string, items: readonly TarItem[], lower?: readonly string[]): Promise<UnpackedArchive> =>
  extract(archive(own(items)), root, lower)

/** Code of the error that `work` ends with. */
export const code = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'no error'
  } catch (error) {
    return String((error as { code?: string }).code)
  }
}
