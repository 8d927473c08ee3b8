/** Unpacked layers: `content/layers/<chain ID>`, whole or not there. */
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { CaissonError, SystemError } from '../errors.ts'
import type { UnpackedArchive } from '../native/binding.ts'
import { loadNative } from '../native/load.ts'
import { decompressed } from './compression.ts'
import { type ContentRoot, hasLayer, layerOf, layersOf, sizeFile } from './paths.ts'

/** Identity of a stack of layers (image-spec config.md): of one layer its diff ID. Hex, without `sha256:`. */
export const chainOf = (below: string | undefined, diffId: string): string =>
  below === undefined ? diffId : createHash('sha256').update(`sha256:${below} sha256:${diffId}`).digest('hex')

export interface LayerRequest {
  /** As stored: compressed or not. */
  readonly stored: AsyncIterable<Buffer>
  /** undefined: a root filesystem, in which whiteouts mean nothing. */
  readonly layer: { readonly diffId: string; readonly below: readonly string[] } | undefined
  /** For messages. */
  readonly name: string
}

/** What a killed command left: nobody else unpacks meanwhile, which is what the content lock is for. */
export const UNFINISHED = 'unfinished'

/** The archive's own fault, in the words of C++ (native/archive). */
export const refusal = (error: unknown): unknown => {
  if (!(error instanceof SystemError) || error.step !== 'archive') return error
  const name = error.path ? `'${error.path}' ` : ''
  return new CaissonError('EARCHIVE', `the archive is refused: ${name}${error.syscall}`, { cause: error })
}

/** Writes all of `source` to the other end of a socket, and closes it. What the reader makes of it is his to say. */
const send = async (source: AsyncIterable<Buffer>, socket: Socket, onChunk: (chunk: Buffer) => void): Promise<void> => {
  let gone = false
  const left = new Promise<void>((resolve) => {
    socket
      .on('error', () => {})
      .once('close', () => {
        gone = true
        resolve()
      })
  })
  try {
    for await (const chunk of source) {
      if (gone) return
      onChunk(chunk)
      if (!socket.write(chunk)) await Promise.race([left, new Promise((resolve) => socket.once('drain', resolve))])
    }
    socket.end()
    await left
  } finally {
    socket.destroy()
  }
}

/** Unpacks a stream on a thread of C++ while this one decompresses and hashes. */
const unpackStream = async (
  source: AsyncIterable<Buffer>,
  root: string,
  options: { readonly layer: boolean; readonly lower: readonly string[] },
): Promise<{ readonly diffId: string; readonly unpacked: UnpackedArchive }> => {
  const binding = loadNative()
  const hash = createHash('sha256')
  const [ours, theirs] = binding.socketPair()
  const unpacking = binding.unpackArchive(theirs, root, options).finally(() => closeSync(theirs))
  const sending = send(source, new Socket({ fd: ours, readable: false }), (chunk) => hash.update(chunk))
  const [sent, unpacked] = await Promise.allSettled([sending, unpacking])
  if (sent.status === 'rejected') throw sent.reason
  if (unpacked.status === 'rejected') throw refusal(unpacked.reason)
  return { diffId: hash.digest('hex'), unpacked: unpacked.value }
}

export interface UnpackedLayer {
  readonly chain: string
  readonly unpacked: UnpackedArchive
}

/**
 * Unpacks beside, verifies, and renames. Throws EARCHIVE for what is not an honest archive, EDIGEST for one that is not the
 * one that was named; nothing of it stays then. The content lock is held.
 */
export const unpackLayer = async (content: ContentRoot, request: LayerRequest): Promise<UnpackedLayer> => {
  const { layer } = request
  const unfinished = `${layersOf(content)}/${UNFINISHED}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(layersOf(content), { recursive: true, mode: 0o700 })
  mkdirSync(unfinished)
  try {
    const lower = (layer?.below ?? []).map((chain) => layerOf(content, chain))
    const source = decompressed(request.stored)
    const { diffId, unpacked } = await unpackStream(source, unfinished, { layer: layer !== undefined, lower })
    if (layer !== undefined && layer.diffId !== diffId) {
      throw new CaissonError('EDIGEST', `${request.name} is not what the image says: its content is sha256:${diffId}`)
    }
    if (layer === undefined && unpacked.entries === 0) throw new CaissonError('EARCHIVE', 'the archive holds nothing')
    const chain = chainOf(layer?.below[0], diffId)
    if (!hasLayer(content, chain)) {
      writeFileSync(sizeFile(content, chain), `${unpacked.bytes}\n`)
      renameSync(unfinished, layerOf(content, chain))
    }
    return { chain, unpacked }
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}
