/** What a run of a container is made from, without deciding anything new: its definition, image, volumes and attachments. */
import type { Service, ServiceMount } from '../compose/project.ts'
import { resolveImage, resolveMadeFrom } from '../image/store.ts'
import type { Attachment } from '../network/connect.ts'
import type { UnpackedImage } from '../oci/image-config.ts'
import type { Accounts, AllocatedImage, AllocatedVolume } from '../spec/allocation.ts'
import { type ContainerPaths, networkRecordFile, volumesDirectory } from '../state/layout.ts'
import type { ContainerRecord, NetworkRecord } from '../state/records.ts'
import { readRecord, writeRecord } from '../state/store.ts'
import { anonymousName, ensureVolume, type VolumeRoot, volumeData } from '../volume/volumes.ts'
import { CaissonError } from '../errors.ts'
import { existsSync, mkdirSync } from 'node:fs'
import type { Session } from './session.ts'

const MAX_ACCOUNTS_BYTES = 1 << 20

export const volumeRoot = (session: Session): VolumeRoot => ({
  directory: volumesDirectory(session.roots),
  write: writeRecord,
})

/** Targets of the service's mounts that are volumes, with the volume's name; an anonymous one is kept or made up. */
export const volumeNames = (
  service: Service,
  image: UnpackedImage,
  named: (key: string) => string,
  kept: ContainerRecord['volumes'],
): ContainerRecord['volumes'] => {
  const taken = new Set(service.volumes.map(({ target }) => target))
  const anonymous = (target: string) => ({ name: keptName(kept, target) ?? anonymousName(), anonymous: true })
  const own = service.volumes.flatMap((mount) => {
    if (mount.type !== 'volume') return []
    const volume =
      mount.source === undefined ? anonymous(mount.target) : { name: named(mount.source), anonymous: false }
    return [[mount.target, volume] as const]
  })
  const fromImage = image.config.volumes
    .filter((target) => !taken.has(target))
    .map((target) => [target, anonymous(target)] as const)
  return Object.fromEntries([...own, ...fromImage])
}

const keptName = (kept: ContainerRecord['volumes'], target: string): string | undefined => {
  const volume = kept[target]
  return volume?.anonymous ? volume.name : undefined
}

/** Where each volume's content lies. */
export const volumePlaces = (session: Session, record: ContainerRecord): Readonly<Record<string, AllocatedVolume>> => {
  const root = volumeRoot(session)
  const own = new Set(record.definition.volumes.map(({ target }) => target))
  const entries = Object.entries(record.volumes).map(
    ([target, { name }]) => [target, { source: volumeData(root, name), fromImage: !own.has(target) }] as const,
  )
  return Object.fromEntries(entries)
}

/** Makes anonymous volumes that are missing; their names. */
export const provideVolumes = (session: Session, record: ContainerRecord): readonly string[] => {
  const root = volumeRoot(session)
  const missing = Object.entries(record.volumes).filter(
    ([, { name, anonymous }]) => anonymous && !existsSync(volumeData(root, name)),
  )
  return missing.map(([target, { name }]) => {
    const key = `${record.service}:${target}`
    ensureVolume(root, { name, key, project: record.project, anonymous: true, labels: {} })
    return name
  })
}

/** Makes missing sources of bind mounts where the file allows it, as directories, like Compose does. Throws ENOSOURCE. */
export const provideBinds = ({ definition, service }: ContainerRecord): void => {
  for (const mount of definition.volumes) {
    if (mount.type !== 'bind' || existsSync(mount.source)) continue
    if (!mount.createHostPath) {
      throw new CaissonError('ENOSOURCE', `service ${service}: bind mount source ${mount.source} does not exist`)
    }
    mkdirSync(mount.source, { recursive: true, mode: 0o755 })
  }
}

const readNetwork = (session: Session, id: string, name: string): NetworkRecord => {
  const record = readRecord<NetworkRecord>(networkRecordFile(session.roots, id))
  if (record === undefined)
    throw new CaissonError('ENONETWORK', `network ${name} is not there any more`, { hint: 'run `up` again' })
  return record
}

/** Names that a container answers to: service, container, short id, aliases. */
const namesOf = (record: ContainerRecord, aliases: readonly string[]): readonly string[] => [
  ...new Set([
    ...(record.oneOff ? [] : [record.service]), // --use-aliases puts it among the aliases
    record.name,
    record.id,
    ...aliases,
    ...(record.definition.hostname && !record.oneOff ? [record.definition.hostname] : []),
  ]),
]

/** `links: [SERVICE:ALIAS]` and `external_links`: nobody else knows them by these names. */
export const aliasesOf = ({ definition: { links, externalLinks } }: ContainerRecord) =>
  [
    ...links.map(({ service, alias }) => ({ alias, name: service })),
    ...externalLinks.map(({ container, alias }) => ({ alias, name: container })),
  ].filter(({ alias, name }) => alias !== name)

/** mac_address of the service is that of its main network: the highest priority, ties by name. */
const mainNetwork = ({ networks, definition }: ContainerRecord): string | undefined => {
  const priority = (key: string) => definition.networks.find((network) => network.key === key)?.priority ?? 0
  return [...networks].sort((a, b) => priority(b.key) - priority(a.key) || (a.name < b.name ? -1 : 1))[0]?.key
}

export const attachmentsOf = (session: Session, record: ContainerRecord): readonly Attachment[] => {
  const main = mainNetwork(record)
  return record.networks.map(({ id, name, key, aliases }) => {
    const wanted = record.definition.networks.find((network) => network.key === key)
    const ownMac = key === main ? record.definition.macAddress : undefined
    return {
      network: remembered(foundOf(session).networks, id, () => readNetwork(session, id, name)),
      names: namesOf(record, aliases),
      reverseName: record.name,
      ipv4Address: wanted?.ipv4Address,
      macAddress: wanted?.macAddress ?? ownMac,
      priority: wanted?.priority ?? 0,
      gwPriority: wanted?.gwPriority ?? 0,
      interfaceName: wanted?.interfaceName,
    }
  })
}

/** What is the same for many containers of one command, found once. */
interface Found {
  readonly images: Map<string, UnpackedImage>
  /** By image identity: of containers that have not written anything. */
  readonly accounts: Map<string, Accounts>
  /** By id. */
  readonly networks: Map<string, NetworkRecord>
}
const found = new WeakMap<Session, Found>()

const foundOf = (session: Session): Found => {
  const known = found.get(session) ?? { images: new Map(), accounts: new Map(), networks: new Map() }
  found.set(session, known)
  return known
}

const remembered = <T>(known: Map<string, T>, key: string, find: () => T): T => {
  const there = known.get(key)
  if (there !== undefined) return there
  const value = find()
  known.set(key, value)
  return value
}

export const imageOf = (session: Session, reference: string): UnpackedImage =>
  remembered(foundOf(session).images, reference, () => resolveImage(session.roots, reference))

const readAccounts = (session: Session, layers: readonly string[]): Accounts => {
  const read = (path: string) => session.binding.readInRoot(layers, path, MAX_ACCOUNTS_BYTES)?.toString('utf8')
  return { passwd: read('/etc/passwd'), group: read('/etc/group') }
}

/** What a container was made from. */
export const imageUnder = (session: Session, record: ContainerRecord): UnpackedImage =>
  remembered(foundOf(session).images, `${record.image} ${record.imageId}`, () => resolveMadeFrom(session.roots, record))

const isImage = (mount: ServiceMount): mount is ServiceMount & { readonly type: 'image' } => mount.type === 'image'

/** Target of each image mount of a service to the image's identity. */
export const imageMountIds = (session: Session, { volumes }: Service): Readonly<Record<string, string>> =>
  Object.fromEntries(
    volumes.filter(isImage).map(({ source, target }) => [target, imageOf(session, source).id] as const),
  )

/** What a record's image mounts are made of; makes the empty directory that they stand over. */
export const imageMountsOf = (session: Session, record: ContainerRecord): Readonly<Record<string, AllocatedImage>> => {
  const mounts = record.definition.volumes.filter(isImage)
  const empty = `${session.roots.run}/empty`
  if (mounts.length > 0) mkdirSync(empty, { recursive: true, mode: 0o555 })
  return Object.fromEntries(
    mounts.map(({ source: image, target }) => {
      const imageId = record.imageMounts?.[target] ?? ''
      const find = () => resolveMadeFrom(session.roots, { image, imageId })
      const { layers } = remembered(foundOf(session).images, `${image} ${imageId}`, find)
      return [target, { layers, empty }] as const
    }),
  )
}

/** /etc/passwd and /etc/group as the container shows them, what it changed itself included. */
export const accountsOf = (session: Session, image: UnpackedImage, { upper }: ContainerPaths): Accounts =>
  existsSync(upper)
    ? readAccounts(session, [upper, ...image.layers])
    : remembered(foundOf(session).accounts, image.id, () => readAccounts(session, image.layers))
