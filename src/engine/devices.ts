/** Device nodes of the host that services name, looked up before anything is changed and again at each start. */
import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs'
import type { Service } from '../compose/project.ts'
import type { OciDevice } from '../oci/runtime-spec.ts'

/** What a /dev holds beside devices, as in runc: file systems of their own, and the console, which each container has. */
const SKIPPED: ReadonlySet<string> = new Set([
  ...['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console'],
])
const MAX_DEPTH = 8
const MAX_NODES = 10_000

/** dev_t of glibc: 12 + 20 bits of the major number, 8 + 24 of the minor one (sys/sysmacros.h). */
const majorOf = (device: bigint): number => Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n))
const minorOf = (device: bigint): number => Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n))

const nodeOf = (path: string, stats: BigIntStats): OciDevice | undefined => {
  const type = stats.isCharacterDevice() ? 'c' : stats.isBlockDevice() ? 'b' : undefined
  if (type === undefined) return undefined
  return {
    ...{ path, type, major: majorOf(stats.rdev), minor: minorOf(stats.rdev) },
    ...{ fileMode: Number(stats.mode & 0o7777n), uid: Number(stats.uid), gid: Number(stats.gid) },
  }
}

/** undefined instead of what cannot be looked at: it has gone, or is none of ours. */
const looked = <T>(look: () => T): T | undefined => {
  try {
    return look()
  } catch {
    return undefined
  }
}

const nodesBelow = (directory: string, found: OciDevice[], depth: number): void => {
  for (const name of looked(() => readdirSync(directory).sort()) ?? []) {
    const path = `${directory}/${name}`
    const stats = SKIPPED.has(name) ? undefined : looked(() => lstatSync(path, { bigint: true }))
    if (stats === undefined || found.length >= MAX_NODES) continue
    if (stats.isDirectory() && depth < MAX_DEPTH) nodesBelow(path, found, depth + 1)
    const node = nodeOf(path, stats)
    if (node !== undefined) found.push(node)
  }
}

const nodesAt = (path: string): readonly OciDevice[] | undefined => {
  const stats = looked(() => statSync(path, { bigint: true })) // a link names what it leads to
  if (stats === undefined) return undefined
  const node = nodeOf(path, stats)
  const found: OciDevice[] = node === undefined ? [] : [node]
  if (stats.isDirectory()) nodesBelow(path.replace(/\/+$/, ''), found, 0)
  return found
}

const pathsOf = ({ devices, privileged, resources: { blkio } }: Service): readonly string[] => [
  ...devices.map(({ source }) => source),
  ...(blkio === undefined
    ? []
    : [blkio.deviceWeights, blkio.readBytes, blkio.writeBytes, blkio.readOperations, blkio.writeOperations].flatMap(
        (list) => list.map(({ device }) => device),
      )),
  ...(privileged ? ['/dev'] : []),
]

/** By the path that the service names: Allocation.hostDevices. */
export const hostDevicesOf = (service: Service): Readonly<Record<string, readonly OciDevice[]>> =>
  Object.fromEntries(
    [...new Set(pathsOf(service))].flatMap((path) => {
      const nodes = path.startsWith('/') ? nodesAt(path) : undefined
      return nodes === undefined ? [] : [[path, nodes]]
    }),
  )
