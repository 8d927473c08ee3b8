/** A NetworkRoot in a namespace of the test's own, with state in a scratch directory. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Port } from '../../src/compose/project.ts'
import { loadNative } from '../../src/native/load.ts'
import type { NetworkLease, NetworkWish } from '../../src/network/driver.ts'
import { type NetworkRoot, openNetworkRoot } from '../../src/network/network-root.ts'
import { type Namespace, World } from './world.ts'

export interface TestRoot {
  readonly world: World
  readonly namespace: Namespace
  readonly root: NetworkRoot
  /** Owners that are gone. */
  readonly dead: Set<string>
  close(): Promise<void>
}

export const openTestRoot = async (): Promise<TestRoot> => {
  const world = new World()
  const namespace = await world.namespace()
  const home = mkdtempSync(join(tmpdir(), 'caisson-network-'))
  mkdirSync(join(home, 'locks'))
  const dead = new Set<string>()
  const root = openNetworkRoot(loadNative(), {
    path: namespace.path,
    run: join(home, 'run'),
    lockFile: join(home, 'locks', 'net'),
    owners: { exists: (_, owner) => !dead.has(owner), describe: (kind, owner) => `${kind} owner ${owner}` },
  })
  const close = async () => {
    root.close()
    await world.close()
    rmSync(home, { recursive: true })
  }
  return { world, namespace, root, dead, close }
}

export const wish = (id: string, more: Partial<NetworkWish> = {}): NetworkWish => ({
  id: id.padEnd(12, '0'),
  name: `test_${id}`,
  internal: false,
  mtu: undefined,
  ipam: [],
  subnet: undefined,
  gateway: undefined,
  ...more,
})

export const port = (target: number, published: number | undefined, more: Partial<Port> = {}): Port => ({
  target,
  published: published === undefined ? undefined : { first: published, last: published },
  hostIp: undefined,
  protocol: 'tcp',
  path: [],
  ...more,
})

/** The nth address of a network: `10.208.0.<n>`. */
export const addressIn = (lease: NetworkLease, n: number): string => lease.subnet.replace(/\.0\/\d+$/, `.${n}`)
