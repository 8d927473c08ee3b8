/** Volumes: `$CAISSON_ROOT/volumes/<name>/{record,data/}`. Content is filled from the image by the start path, not here. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { CaissonError } from '../errors.ts'

export interface VolumeRoot {
  /** `$CAISSON_ROOT/volumes` */
  readonly directory: string
  /** Writes a record to a new name (state/store.ts). */
  readonly write: (path: string, record: VolumeWish & { readonly version: 1; readonly createdAt: string }) => void
}

export interface VolumeWish {
  readonly name: string
  /** Key in the Compose file; of an anonymous one `<service>:<target>`. */
  readonly key: string
  readonly project: string
  readonly anonymous: boolean
  readonly labels: Readonly<Record<string, string>>
}

/** A name is a directory here. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

/** Host directory of the content. Throws EVOLUMENAME. */
export const volumeData = (root: VolumeRoot, name: string): string => {
  if (!NAME.test(name)) {
    throw new CaissonError('EVOLUMENAME', `'${name}' is no volume name: letters, digits, '_', '.' and '-' only`)
  }
  return `${root.directory}/${name}/data`
}

/** Name of a new anonymous volume: 64 hex digits, as Docker's. */
export const anonymousName = (): string => randomBytes(32).toString('hex')

/** Makes the volume where it is missing; whether it was. The record comes first: without it the data is nobody's. */
export const ensureVolume = (root: VolumeRoot, wish: VolumeWish): boolean => {
  const data = volumeData(root, wish.name)
  const record = `${root.directory}/${wish.name}/record`
  const isNew = !existsSync(record)
  if (isNew) {
    mkdirSync(`${root.directory}/${wish.name}`, { recursive: true, mode: 0o711 })
    root.write(record, { version: 1, ...wish, createdAt: new Date().toISOString() })
  }
  mkdirSync(data, { recursive: true, mode: 0o755 })
  return isNew
}

/** Removes content, then record: what was begun is begun again by its record. */
export const removeVolume = (root: VolumeRoot, name: string): void => {
  rmSync(volumeData(root, name), { recursive: true, force: true })
  rmSync(`${root.directory}/${name}`, { recursive: true, force: true })
}
