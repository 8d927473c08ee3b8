/** `image inspect`: an image in the fields of docker's. */
import type { Descriptor } from './archive-file.ts'
import type { ImageConfig } from '../oci/image-config.ts'
import { HOST_CONFIG, HOST_REFERENCE, hostBuiltAt, hostId } from './host.ts'
import type { ContentRoot } from './paths.ts'
import { thisPlatform } from './platform.ts'
import { findRecord, isHost, readConfiguration, referencesTo } from './store.ts'

type Json = Readonly<Record<string, unknown>>

export interface ImageDetails {
  readonly Id: string
  readonly RepoTags: readonly string[]
  readonly RepoDigests: readonly string[]
  readonly Comment: string
  /** Of its manifest; undefined: it is not kept. */
  readonly Descriptor?: Descriptor
  readonly Created: string
  readonly Author: string
  readonly Architecture: string
  readonly Variant?: string
  readonly Os: string
  readonly Size: number
  readonly RootFS: { readonly Type: string; readonly Layers: readonly string[] }
  readonly Metadata: { readonly LastTagTime: string }
  readonly Config: Json
}

const rfc3339 = (milliseconds: number): string => new Date(milliseconds).toISOString()
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every field is there, so that a template finds it: what an image does not say is as docker shows that. */
const configFields = (config: Json): Json => ({
  ...{ User: '', ExposedPorts: null, Env: null, Cmd: null, Volumes: null, WorkingDir: '', Entrypoint: null },
  Labels: null,
  ...config,
})

const lastComment = (history: unknown): string => {
  const last: unknown = Array.isArray(history) ? history.at(-1) : undefined
  return isObject(last) ? textOf(last['comment']) : ''
}

const hostFields = (config: ImageConfig): Json =>
  configFields({
    ...{ User: config.user, Env: config.env, Cmd: config.cmd ?? null, WorkingDir: config.workingDir },
    Labels: config.labels,
  })

const inspectHost = (content: ContentRoot): ImageDetails => {
  const builtAt = rfc3339(hostBuiltAt(content) ?? 0)
  return {
    ...{ Id: hostId(), RepoTags: [`${HOST_REFERENCE}:latest`], RepoDigests: [] },
    ...{ Comment: "this machine's own /usr", Created: builtAt, Author: '' },
    ...{ Architecture: thisPlatform().architecture, Os: 'linux', Size: 0 },
    RootFS: { Type: 'layers', Layers: [] },
    Metadata: { LastTagTime: builtAt },
    Config: hostFields(HOST_CONFIG),
  }
}

/** By name, or by an id or its beginning. Throws ENOIMAGE, EREFERENCE. */
export const inspectImage = (content: ContentRoot, text: string): ImageDetails => {
  if (isHost(text)) return inspectHost(content)
  const record = findRecord(content, text)
  const { id, sizeBytes, importedAt } = record
  const document = JSON.parse(readConfiguration(content, record)) as Json
  const { rootfs, config, variant } = document
  const layers = isObject(rootfs) && Array.isArray(rootfs['diff_ids']) ? rootfs['diff_ids'].map(String) : []
  const records = referencesTo(content, id)
  const names = records.flatMap(({ reference }) => (reference === id || reference.includes('@') ? [] : [reference]))
  const digests = [...new Set(records.flatMap(({ repoDigests }) => repoDigests))]
  return {
    ...{ Id: id, RepoTags: names.sort(), RepoDigests: digests.sort(), Comment: lastComment(document['history']) },
    ...{ Created: textOf(document['created']) || rfc3339(importedAt), Author: textOf(document['author']) },
    Architecture: textOf(document['architecture']),
    ...(textOf(variant) === '' ? {} : { Variant: textOf(variant) }),
    ...{ Os: textOf(document['os']), Size: sizeBytes, RootFS: { Type: 'layers', Layers: layers } },
    Metadata: { LastTagTime: rfc3339(importedAt) },
    ...(record.manifest === undefined ? {} : { Descriptor: record.manifest }),
    Config: configFields(isObject(config) ? config : {}),
  }
}
