/** `image rm` and `image prune`: which names go, what goes with them, and what stays because containers stand on it. */
import { rmSync } from 'node:fs'
import { CaissonError } from '../errors.ts'
import { parseReference } from '../oci/reference.ts'
import { HOST_REFERENCE } from './host.ts'
import { type ContentRoot, referenceFile } from './paths.ts'
import {
  allRecords,
  findRecord,
  isHost,
  keepUnderId,
  lookUp,
  normalise,
  type ReferenceRecord,
  referencesTo,
  writeReference,
} from './store.ts'

/** A container that was made from an image. */
export interface ImageUser {
  readonly name: string
  readonly project: string
  readonly imageId: string
  readonly isRunning: boolean
}

export interface RemovedNames {
  /** Names and `name@digest`. */
  readonly untagged: readonly string[]
  /** `sha256:…` of the image, and the chain IDs of its layers that nothing else needs. */
  readonly deleted: readonly string[]
}

const NOTHING: RemovedNames = { untagged: [], deleted: [] }

/** Records that `text` means: one by its name; by id the only one, or all of them with `force`. */
const meant = (content: ContentRoot, text: string, force: boolean): readonly ReferenceRecord[] => {
  if (isHost(text)) throw new CaissonError('EIMAGE', `${HOST_REFERENCE} is built in and cannot be removed`)
  const record = findRecord(content, text)
  if (record.reference === normalise(text)) return [record]
  const all = referencesTo(content, record.id)
  if (all.length === 1 || force) return all
  const names = all.map(({ reference }) => reference).join(', ')
  throw new CaissonError('EIMAGE', `image ${text} has several names: ${names}`, {
    hint: 'remove them by name, or all of them with -f',
  })
}

/** The last name is not taken from what runs; what does not run keeps the content even with `force`. */
const checkUnused = (going: readonly ReferenceRecord[], users: readonly ImageUser[], force: boolean): void => {
  const [first] = going
  const user = users.find(({ imageId, isRunning }) => (isRunning || !force) && imageId === first?.id)
  if (user === undefined) return
  const subject = `image ${first?.reference}`
  throw new CaissonError('EIMAGEUSED', `${subject} is used by container ${user.name} of project ${user.project}`, {
    hint: user.isRunning ? 'stop and remove the container first' : 'remove the container first, or use -f',
  })
}

/** `name@digest` that go with the last name of a repository. */
const digestsOf = (going: readonly ReferenceRecord[], staying: readonly ReferenceRecord[]): readonly string[] => {
  const repositoryOf = ({ reference }: ReferenceRecord) => parseReference(reference).name
  const left = new Set(staying.map(repositoryOf))
  const gone = new Set(going.map(repositoryOf).filter((name) => !left.has(name)))
  const digests = going.flatMap(({ repoDigests }) => repoDigests).filter((each) => gone.has(each.replace(/@.*/, '')))
  const named = new Set(going.map(({ reference }) => reference))
  return [...new Set(digests)].filter((each) => !named.has(each))
}

const layersGone = (content: ContentRoot, { layers }: ReferenceRecord): readonly string[] => {
  const needed = new Set(allRecords(content).flatMap((record) => record.layers))
  return layers.filter((chain) => !needed.has(chain)).map((chain) => `sha256:${chain}`)
}

/** Takes the names away; the content goes with the next sweep unless a container keeps it. */
export const removeRecords = (
  content: ContentRoot,
  going: readonly ReferenceRecord[],
  users: readonly ImageUser[],
): RemovedNames => {
  const [first] = going
  if (first === undefined) return NOTHING
  const names = new Set(going.map(({ reference }) => reference))
  const staying = referencesTo(content, first.id).filter(({ reference }) => !names.has(reference))
  for (const reference of names) rmSync(referenceFile(content, reference), { force: true })
  const untagged = [...names].filter((name) => name !== first.id).sort()
  const isKept = users.some(({ imageId }) => imageId === first.id)
  if (staying.length === 0 && isKept) keepUnderId(content, first)
  const deleted = staying.length > 0 || isKept ? [] : [first.id, ...layersGone(content, first)]
  return { untagged: [...untagged, ...digestsOf(going, staying)], deleted }
}

/** `name@digest` beside a name: only that is forgotten. */
const removeDigest = (content: ContentRoot, text: string, dryRun: boolean): RemovedNames | undefined => {
  const { digest } = parseReference(text)
  const name = normalise(text)
  if (digest === undefined || lookUp(content, name) !== undefined) return undefined
  const having = allRecords(content).filter(({ repoDigests }) => repoDigests.includes(name))
  for (const record of dryRun ? [] : having)
    writeReference(content, { ...record, repoDigests: record.repoDigests.filter((each) => each !== name) })
  return having.length === 0 ? undefined : { untagged: [name], deleted: [] }
}

export interface RemovalOptions {
  readonly force: boolean
  /** Only says what would go; layers are not told then. */
  readonly dryRun?: boolean
  readonly users: readonly ImageUser[]
}

/** The content lock is held. Throws ENOIMAGE, EIMAGEUSED, and EIMAGE for an id that several names stand for. */
export const removeImageNames = (
  content: ContentRoot,
  text: string,
  { force, dryRun = false, users }: RemovalOptions,
): RemovedNames => {
  const forgotten = removeDigest(content, text, dryRun)
  if (forgotten !== undefined) return forgotten
  const going = meant(content, text, force)
  const id = going[0]?.id ?? ''
  const isLast = referencesTo(content, id).length === going.length
  if (isLast) checkUnused(going, users, force)
  if (!dryRun) return removeRecords(content, going, users)
  const untagged = going.map(({ reference }) => reference).filter((name) => name !== id)
  return { untagged, deleted: isLast ? [id] : [] }
}
