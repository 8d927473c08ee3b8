/**
 * The JSON of images in exact types: descriptors, manifests, indexes, configurations (image-spec), and manifest.json of
 * `docker save`. All of it is untrusted. Throws EARCHIVE.
 */
import { CaissonError } from '../errors.ts'
import type { Descriptor } from './archive-file.ts'
import { digestLike } from './digest.ts'
import { kindOf } from './media-types.ts'

export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant: string
}

export interface IndexEntry extends Descriptor {
  readonly platform: Platform | undefined
  readonly annotations: Readonly<Record<string, string>>
}

export interface Manifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

export interface Configuration {
  readonly platform: Platform
  /** Hex of the uncompressed layers, bottom first. */
  readonly diffIds: readonly string[]
}

export interface DockerImage {
  /** Names of files in the archive. */
  readonly config: string
  readonly layers: readonly string[]
  readonly tags: readonly string[]
}

/** As many layers as overlayfs stacks (Linux 6.x: 500), less the writable one. */
const MAX_LAYERS = 499
const MAX_ENTRIES = 10_000
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

const refuse = (where: string, what: string): never => {
  throw new CaissonError('EARCHIVE', `the archive is refused: ${where} ${what}`)
}

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const objectOf = (value: unknown, where: string): Json => (isObject(value) ? value : refuse(where, 'is no JSON object'))

const listOf = (value: unknown, where: string, most: number): readonly unknown[] => {
  if (!Array.isArray(value)) return refuse(where, 'is no list')
  return value.length > most ? refuse(where, `has more than ${most} items`) : value
}

const textOf = (value: unknown, where: string): string =>
  typeof value === 'string' ? value : refuse(where, 'is no text')

const optionalText = (value: unknown, where: string): string =>
  value === undefined || value === null ? '' : textOf(value, where)

/** Ours are nested five deep; of one that is nested without end others than its reader would run out of stack. */
const MAX_DEPTH = 100
const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const DEEPER: ReadonlyMap<number, number> = new Map([
  ...[...'[{'].map((each) => [each.charCodeAt(0), 1] as const),
  ...[...']}'].map((each) => [each.charCodeAt(0), -1] as const),
])

const isTooDeep = (bytes: Buffer): boolean => {
  let depth = 0
  let isText = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) isText = !isText
    else if (isText) at += byte === BACKSLASH ? 1 : 0
    else depth += DEEPER.get(byte) ?? 0
    if (depth > MAX_DEPTH) return true
  }
  return false
}

const parse = (bytes: Buffer, where: string): unknown => {
  if (isTooDeep(bytes)) return refuse(where, `is nested more than ${MAX_DEPTH} levels deep`)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return refuse(where, 'is no JSON')
  }
}

const platformOf = (value: unknown, where: string): Platform => {
  const { os, architecture, variant } = objectOf(value, where)
  return {
    os: optionalText(os, `${where}.os`),
    architecture: optionalText(architecture, `${where}.architecture`),
    variant: optionalText(variant, `${where}.variant`),
  }
}

/** Nobody here reads embedded data; what others would read instead of the blob has to be the blob (descriptor.md). */
const checkData = (data: string, digest: string, where: string): void => {
  if (digestLike(digest, Buffer.from(data, 'base64')) !== digest) refuse(where, 'is not what its digest says')
}

const descriptorOf = (value: unknown, where: string): Descriptor => {
  const { mediaType, digest, size, data } = objectOf(value, where)
  const name = textOf(digest, `${where}.digest`)
  if (!DIGEST.test(name)) return refuse(`${where}.digest`, `is '${name.slice(0, 80)}', which is no sha256 or sha512`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return refuse(`${where}.size`, 'is no size')
  if (data !== undefined) checkData(textOf(data, `${where}.data`), name, `${where}.data`)
  return { mediaType: textOf(mediaType, `${where}.mediaType`), digest: name, size }
}

const annotationsOf = (value: unknown): Readonly<Record<string, string>> =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)])) : {}

const indexEntryOf = (value: unknown, where: string): IndexEntry => {
  const { platform, annotations } = objectOf(value, where)
  return {
    ...descriptorOf(value, where),
    platform: platform === undefined || platform === null ? undefined : platformOf(platform, `${where}.platform`),
    annotations: annotationsOf(annotations),
  }
}

/**
 * A document must be what its descriptor says, and nothing else at the same time: one that is both manifest and index means
 * one thing to whoever checks it and another to whoever runs it (CVE-2021-41190).
 */
const checkKind = (document: Json, mediaType: string | undefined, kind: 'manifest' | 'index', where: string): void => {
  const said = document['mediaType']
  if (said !== undefined && (typeof said !== 'string' || kindOf(said) !== kind || (mediaType ?? said) !== said))
    refuse(where, `says that it is '${said}', not ${mediaType ?? `an image ${kind}`}`)
  if (document['schemaVersion'] !== 2) refuse(where, 'is not of schema version 2, the only one supported')
  const foreign = kind === 'manifest' ? ['manifests'] : ['config', 'layers', 'fsLayers']
  const both = [...foreign, ...(kind === 'manifest' ? ['fsLayers'] : [])].find((key) => key in document)
  if (both !== undefined) refuse(where, `is an image ${kind} and has '${both}' too`)
}

/** `mediaType` undefined: index.json itself, which no descriptor describes. */
export const parseIndex = (bytes: Buffer, mediaType: string | undefined, where: string): readonly IndexEntry[] => {
  const document = objectOf(parse(bytes, where), where)
  checkKind(document, mediaType, 'index', where)
  return listOf(document['manifests'], `${where}.manifests`, MAX_ENTRIES).map((entry, index) =>
    indexEntryOf(entry, `${where}.manifests[${index}]`),
  )
}

export const parseManifest = (bytes: Buffer, mediaType: string, where: string): Manifest => {
  const document = objectOf(parse(bytes, where), where)
  checkKind(document, mediaType, 'manifest', where)
  const config = descriptorOf(document['config'], `${where}.config`)
  if (kindOf(config.mediaType) !== 'config') refuse(where, `is no image but an artifact of type '${config.mediaType}'`)
  const layers = listOf(document['layers'], `${where}.layers`, MAX_LAYERS).map((layer, index) =>
    descriptorOf(layer, `${where}.layers[${index}]`),
  )
  const odd = layers.find((layer) => kindOf(layer.mediaType) !== 'layer')
  if (odd !== undefined) refuse(where, `has a layer of the unknown type '${odd.mediaType}'`)
  return { config, layers }
}

export const parseConfiguration = (bytes: Buffer, where: string): Configuration => {
  const document = objectOf(parse(bytes, where), where)
  const rootfs = objectOf(document['rootfs'], `${where}.rootfs`)
  if (rootfs['type'] !== 'layers') refuse(`${where}.rootfs.type`, "is not 'layers'")
  const diffIds = listOf(rootfs['diff_ids'] ?? [], `${where}.rootfs.diff_ids`, MAX_LAYERS).map((id) => {
    const text = textOf(id, `${where}.rootfs.diff_ids`)
    return /^sha256:[0-9a-f]{64}$/.test(text)
      ? text.slice('sha256:'.length)
      : refuse(where, 'has a diff_id that is no sha256')
  })
  checkConfig(document['config'], `${where}.config`)
  return { platform: platformOf(document, where), diffIds }
}

/** The kernel's texts end at a NUL. */
const isText = (value: unknown): boolean => typeof value === 'string' && !value.includes('\0')
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isTextMap = (value: unknown): boolean => isObject(value) && isTextList(Object.values(value))
/** Absent and null are the same: Go writes either. */
const isNumber = (value: unknown): boolean => value === undefined || value === null || Number.isFinite(value)
const isHealthcheck = (value: unknown): boolean =>
  isObject(value) &&
  isTextList(value['Test'] ?? []) &&
  ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'].every((key) => isNumber(value[key]))
const CONFIG_TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  ...{ User: isText, WorkingDir: isText, StopSignal: isText, Env: isTextList, Entrypoint: isTextList, Cmd: isTextList },
  ...{ Shell: isTextList, Volumes: isObject, ExposedPorts: isObject, Labels: isTextMap, Healthcheck: isHealthcheck },
}

/** What containers are made from. */
const checkConfig = (value: unknown, where: string): void => {
  const config = objectOf(value ?? {}, where)
  for (const [key, check] of Object.entries(CONFIG_TYPES)) {
    const given = config[key] ?? undefined
    if (given !== undefined && !check(given)) refuse(`${where}.${key}`, 'is of the wrong type, or has a NUL in it')
  }
}

export const parseDockerManifest = (bytes: Buffer): readonly DockerImage[] => {
  const where = 'manifest.json'
  return listOf(parse(bytes, where), where, MAX_ENTRIES).map((value, index) => {
    const image = objectOf(value, `${where}[${index}]`)
    const texts = (key: string, most: number) =>
      listOf(image[key] ?? [], `${where}[${index}].${key}`, most).map((item) =>
        textOf(item, `${where}[${index}].${key}`),
      )
    return {
      config: textOf(image['Config'], `${where}[${index}].Config`),
      layers: texts('Layers', MAX_LAYERS),
      tags: texts('RepoTags', MAX_ENTRIES),
    }
  })
}
