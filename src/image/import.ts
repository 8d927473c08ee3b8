/** `image import`: a root filesystem archive becomes an image of one layer. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CaissonError } from '../errors.ts'
import { type Extracted, extract } from './extract.ts'
import { type ContentRoot, layersOf } from './paths.ts'
import { hasLayer, type ListedImage, normalise, writeBlob, writeReference } from './store.ts'

export interface Imported extends ListedImage {
  readonly skipped: readonly string[]
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
const MAGIC: readonly (readonly [string, string])[] = [
  ['28b52ffd', 'zstd'],
  ['fd377a58', 'xz'],
  ['425a68', 'bzip2'],
]

/** The archive's bytes without compression, which is told by its first bytes, not by its name. */
async function* uncompressed(input: Readable): AsyncGenerator<Buffer> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const { value: first = Buffer.alloc(0) } = (await chunks.next()) as IteratorResult<Buffer, undefined>
  const magic = first.toString('hex', 0, 4)
  const other = MAGIC.find(([prefix]) => magic.startsWith(prefix))?.[1]
  if (other !== undefined) {
    throw new CaissonError('EARCHIVE', `${other} archives are not supported yet`, {
      hint: 'decompress it, or use gzip',
    })
  }
  const whole = async function* () {
    if (first.length > 0) yield first
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  }
  if (!magic.startsWith('1f8b')) {
    yield* whole()
    return
  }
  const gunzip = createGunzip()
  const feeding = feed(whole(), gunzip)
  yield* gunzip as AsyncIterable<Buffer>
  await feeding
}

const feed = async (source: AsyncIterable<Buffer>, target: ReturnType<typeof createGunzip>): Promise<void> => {
  try {
    for await (const chunk of source) {
      if (!target.write(chunk)) await new Promise((resolve) => target.once('drain', resolve).once('close', resolve))
    }
    target.end()
  } catch (error) {
    target.destroy(error as Error)
  }
}

async function* hashed(source: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
}

/** What killed imports left. */
const clearAbandoned = (directory: string) => {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory)) {
    const pid = /^import\.(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(`${directory}/${name}`, { recursive: true, force: true })
  }
}

/** Unpacks into a directory of this process, then renames to the layer's chain ID (of one layer: its diff ID). */
const unpack = async (content: ContentRoot, input: Readable): Promise<{ diffId: string; extracted: Extracted }> => {
  clearAbandoned(layersOf(content))
  const unfinished = `${layersOf(content)}/import.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true, mode: 0o755 })
  try {
    const hash = createHash('sha256')
    const extracted = await extract(hashed(uncompressed(input), hash), unfinished)
    if (extracted.entries === 0) throw new CaissonError('EARCHIVE', 'the archive holds nothing')
    const diffId = hash.digest('hex')
    if (!hasLayer(content, diffId)) renameSync(unfinished, `${layersOf(content)}/${diffId}`)
    return { diffId, extracted }
  } catch (error) {
    const isGzip = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
    throw isGzip ? new CaissonError('EARCHIVE', `the archive is damaged: ${error.message}`, { cause: error }) : error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

/** An OCI configuration that says nothing but what the archive is: equal archives give equal images. */
const configurationOf = (diffId: string): string =>
  JSON.stringify({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
  })

/** `tar`: path, or `-` for stdin. Throws EARCHIVE for what is not an honest archive; nothing of it stays then. */
export const importArchive = async (content: ContentRoot, tar: string, reference: string): Promise<Imported> => {
  const name = normalise(reference)
  const input = tar === '-' ? process.stdin : createReadStream(tar, { highWaterMark: 1 << 20 })
  const { diffId, extracted } = await unpack(content, input)
  const id = writeBlob(content, configurationOf(diffId))
  const importedAt = Date.now()
  writeReference(content, { version: 1, reference: name, id, layers: [diffId], importedAt, sizeBytes: extracted.bytes })
  return { reference: name, id, createdAt: importedAt, sizeBytes: extracted.bytes, skipped: extracted.skipped }
}
