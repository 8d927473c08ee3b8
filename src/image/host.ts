/**
 * `caisson/host`: the machine's own /usr, read-only, under a private rest. Needs no download. It has a version, not a digest
 * of the host: what the machine's packages change reaches containers at their next start, and recreates nothing.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { ImageConfig, UnpackedImage } from '../oci/image-config.ts'
import { ETC_ALLOWED, isSecret, SERVICE_DIRECTORIES, withoutSecrets } from './host-files.ts'
import { type ContentRoot, layersOf } from './paths.ts'

export const HOST_REFERENCE = 'caisson/host'
/** Raised when the image means something else: containers made from an older one are recreated. */
export const HOST_VERSION = 2

/** Where the Node that runs this is found in every container. */
const NODE_PREFIX = '/opt/node'

export const HOST_CONFIG: ImageConfig = {
  user: '',
  env: [`PATH=${NODE_PREFIX}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`],
  entrypoint: undefined,
  cmd: ['/bin/sh'],
  workingDir: '/',
  volumes: [],
  exposedPorts: [],
  healthcheck: undefined,
  stopSignal: undefined,
  labels: { 'org.opencontainers.image.title': HOST_REFERENCE },
}

/** Where to look; a test gives its own. */
export interface HostMachine {
  /** `/`, without its slash. */
  readonly root: string
  /** Real path of the running Node. */
  readonly node: string
}

const thisMachine = (): HostMachine => ({ root: '', node: realpathSync(process.execPath) })

/** Links of a merged /usr, or directories of their own on machines without one. */
const TOP_LEVEL = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']
const EMPTY_DIRECTORIES: readonly (readonly [string, number])[] = [
  ...(['dev', 'proc', 'sys', 'usr', 'etc', 'home', 'mnt', 'media', 'opt', 'srv', 'run', 'run/lock'] as const).map(
    (path) => [path, 0o755] as const,
  ),
  ...(['var', 'var/cache', 'var/lib', 'var/log', 'var/spool', 'var/opt'] as const).map(
    (path) => [path, 0o755] as const,
  ),
  ...[['root', 0o700] as const, ['tmp', 0o1777] as const, ['var/tmp', 0o1777] as const],
]
const LINKS: readonly (readonly [string, string])[] = [
  ['var/run', '/run'],
  ['var/lock', '/run/lock'],
  ['etc/mtab', '/proc/self/mounts'],
]
/** Targets of the engine's own binds. */
const EMPTY_FILES = ['etc/resolv.conf', 'etc/hosts', 'etc/hostname']

const lstat = (path: string) => lstatSync(path, { throwIfNoEntry: false })

interface Bind {
  readonly source: string
  readonly target: string
}

/** A Node prefix as installers make it. Anything else may be a home directory: then only the binary itself is shown. */
const isNodePrefix = (prefix: string) =>
  existsSync(`${prefix}/include/node/node_version.h`) || existsSync(`${prefix}/lib/node_modules/npm/package.json`)

/** How Node gets in: through /usr by a link, its whole prefix, or the binary alone. */
const nodeBinds = ({ node }: HostMachine): { readonly binds: readonly Bind[]; readonly link: string | undefined } => {
  if (node.startsWith('/usr/')) return { binds: [], link: node }
  const prefix = dirname(dirname(node))
  if (isNodePrefix(prefix)) return { binds: [{ source: prefix, target: NODE_PREFIX }], link: undefined }
  return { binds: [{ source: node, target: `${NODE_PREFIX}/bin/node` }], link: undefined }
}

/** What is bound from the machine as it is. */
const hostBinds = (machine: HostMachine): readonly Bind[] => {
  const own = TOP_LEVEL.filter((name) => lstat(`${machine.root}/${name}`)?.isDirectory())
  const directories = ['usr', ...own].map((name) => ({ source: `${machine.root}/${name}`, target: `/${name}` }))
  return [...directories, ...nodeBinds(machine).binds]
}

/** Changes whenever a listed file, or the list of a listed directory, does. */
const fingerprint = (machine: HostMachine): string => {
  const hash = createHash('sha256').update(`${HOST_VERSION} ${machine.node}\n`)
  for (const name of ['passwd', 'group', ...ETC_ALLOWED]) {
    const stat = lstat(`${machine.root}/etc/${name}`)
    if (stat !== undefined) hash.update(`${name} ${stat.mtimeMs} ${stat.size} ${stat.ino}\n`)
  }
  for (const name of TOP_LEVEL) hash.update(`${name} ${lstat(`${machine.root}/${name}`)?.mode}\n`)
  return hash.digest('hex').slice(0, 12)
}

const WORLD_READABLE = 0o004

/** Copies what all may read; links stay links. */
const copyAllowed = (from: string, to: string): void => {
  const stat = lstat(from)
  if (stat === undefined || isSecret(from)) return
  mkdirSync(dirname(to), { recursive: true, mode: 0o755 })
  if (stat.isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to)
  } else if ((stat.mode & WORLD_READABLE) === 0) {
    return
  } else if (stat.isDirectory()) {
    mkdirSync(to, { recursive: true, mode: 0o755 })
    for (const name of readdirSync(from)) copyAllowed(`${from}/${name}`, `${to}/${name}`)
  } else if (stat.isFile()) {
    copyFileSync(from, to)
    chmodSync(to, stat.mode & 0o755)
  }
}

const makeDirectories = (layer: string) => {
  for (const [path, mode] of EMPTY_DIRECTORIES) {
    mkdirSync(`${layer}/${path}`, { recursive: true })
    chmodSync(`${layer}/${path}`, mode)
  }
}

const makeTopLevel = (layer: string, { root }: HostMachine) => {
  for (const name of TOP_LEVEL) {
    const stat = lstat(`${root}/${name}`)
    if (stat?.isSymbolicLink()) symlinkSync(readlinkSync(`${root}/${name}`), `${layer}/${name}`)
    else if (stat?.isDirectory()) mkdirSync(`${layer}/${name}`, { mode: 0o755 })
  }
}

const makeEtc = (layer: string, { root }: HostMachine) => {
  for (const file of ['passwd', 'group'] as const) {
    if (!existsSync(`${root}/etc/${file}`)) continue
    writeFileSync(`${layer}/etc/${file}`, withoutSecrets(readFileSync(`${root}/etc/${file}`, 'utf8'), file), {
      mode: 0o644,
    })
  }
  for (const name of ETC_ALLOWED) copyAllowed(`${root}/etc/${name}`, `${layer}/etc/${name}`)
  for (const file of EMPTY_FILES) writeFileSync(`${layer}/${file}`, '', { mode: 0o644 })
}

/** Name to id, from /etc/passwd or /etc/group. */
const readIds = (file: string): ReadonlyMap<string, number> => {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return new Map(lines.map((line) => line.split(':')).map(([name = '', , id = '']) => [name, Number(id)]))
}

const makeServiceDirectories = (layer: string, { root }: HostMachine) => {
  const users = readIds(`${root}/etc/passwd`)
  const groups = readIds(`${root}/etc/group`)
  for (const { path, user, group, mode } of SERVICE_DIRECTORIES) {
    const uid = users.get(user)
    if (uid === undefined) continue
    const directory = `${layer}/${path}`
    mkdirSync(directory, { recursive: true })
    if (process.geteuid?.() === 0) chownSync(directory, uid, groups.get(group) ?? groups.get(user) ?? uid)
    chmodSync(directory, mode)
  }
}

const makeNode = (layer: string, machine: HostMachine) => {
  const { binds, link } = nodeBinds(machine)
  mkdirSync(`${layer}${NODE_PREFIX}`, { recursive: true, mode: 0o755 })
  if (binds[0]?.target === NODE_PREFIX) return
  mkdirSync(`${layer}${NODE_PREFIX}/bin`, { mode: 0o755 })
  if (link !== undefined) symlinkSync(link, `${layer}${NODE_PREFIX}/bin/node`)
  else writeFileSync(`${layer}${NODE_PREFIX}/bin/node`, '', { mode: 0o755 })
}

/** Built beside and renamed, so that a layer is whole or not there. */
const buildLayer = (layer: string, machine: HostMachine): void => {
  const unfinished = `${layer}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  const umask = process.umask(0o022)
  try {
    mkdirSync(unfinished, { recursive: true, mode: 0o755 })
    makeDirectories(unfinished)
    makeTopLevel(unfinished, machine)
    for (const [path, target] of LINKS) symlinkSync(target, `${unfinished}/${path}`)
    makeEtc(unfinished, machine)
    makeServiceDirectories(unfinished, machine)
    makeNode(unfinished, machine)
    renameSync(unfinished, layer)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(layer)) throw error // else another command was first
  } finally {
    process.umask(umask)
  }
}

/** The embedded image; its layer is made where this machine's /etc has changed since the last one. */
export const resolveHost = (content: ContentRoot, machine: HostMachine = thisMachine()): UnpackedImage => {
  const layer = `${layersOf(content)}/host-${HOST_VERSION}-${fingerprint(machine)}`
  if (!existsSync(layer)) buildLayer(layer, machine)
  return {
    id: `${HOST_REFERENCE}@${HOST_VERSION}`,
    reference: HOST_REFERENCE,
    config: HOST_CONFIG,
    layers: [layer],
    binds: hostBinds(machine),
  }
}

/** Identity without building anything: for plans. */
export const hostId = (): string => `${HOST_REFERENCE}@${HOST_VERSION}`

/** When the newest layer was made, ms since the epoch; undefined: never. */
export const hostBuiltAt = (content: ContentRoot): number | undefined => {
  const directory = layersOf(content)
  if (!existsSync(directory)) return undefined
  const times = readdirSync(directory)
    .filter((name) => name.startsWith('host-'))
    .map((name) => statSync(`${directory}/${name}`).ctimeMs)
  return times.length === 0 ? undefined : Math.max(...times)
}

/** Removes layers of earlier states of /etc, but the newest one and those that a container stands on. */
export const pruneHostLayers = (content: ContentRoot, inUse: ReadonlySet<string>): void => {
  const directory = layersOf(content)
  if (!existsSync(directory)) return
  const layers = readdirSync(directory)
    .filter((name) => name.startsWith('host-'))
    .map((name) => ({ path: `${directory}/${name}`, changedAt: statSync(`${directory}/${name}`).ctimeMs }))
    .sort((a, b) => b.changedAt - a.changedAt)
  for (const { path } of layers.slice(1)) if (!inUse.has(path)) rmSync(path, { recursive: true, force: true })
}
