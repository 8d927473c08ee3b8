/** Unpacks archives of tests as layers come: in pieces of an odd size. */
import { ingestBlob } from '../../src/image/ingest.ts'
import type { UnpackedArchive } from '../../src/native/binding.ts'
import { archive, inPieces, type TarItem } from './archive.ts'

const uid = process.getuid?.() ?? 0

/** Entries that this user may own. */
export const own = (items: readonly TarItem[]): readonly TarItem[] => items.map((item) => ({ uid, ...item }))

/** `lower`: a layer above those; undefined: a root filesystem. */
export const extract = async (bytes: Buffer, root: string, lower?: readonly string[]): Promise<UnpackedArchive> => {
  const { content } = await ingestBlob({
    source: inPieces(bytes) as AsyncIterable<Buffer>,
    ...{ expected: undefined, name: 'the archive' },
    unpack: { root, layer: lower !== undefined, lower: lower ?? [] },
  })
  if (content === undefined) throw new Error('nothing was unpacked')
  return content.unpacked
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
