/** What a test may leave behind on the machine, as sorted lines of text that can be compared. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type Snapshot = readonly string[]

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const list = (path: string): string[] => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** In a pid namespace of the test's own these are all of its processes; zombies count, nobody would ever reap them. */
const processes = (): string[] =>
  list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
      const state = /^State:\s+(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 'gone'
      return `process ${pid} ${command.slice(0, 120)} [${state.startsWith('Z') ? 'zombie' : 'alive'}]`
    })
    .filter((line) => !line.includes('esbuild'))

const mounts = (): string[] =>
  read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `mount ${line.split(' ')[4]}`)

const links = (): string[] =>
  read('/proc/self/net/dev')
    .split('\n')
    .slice(2)
    .flatMap((line) => (line.includes(':') ? [`link ${line.split(':', 1)[0]?.trim()}`] : []))

const tables = (): string[] => {
  const listed = spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' })
  return (listed.stdout ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `nft ${line}`)
}

/** Groups of projects with this prefix: other projects of the machine may come and go meanwhile. */
const cgroups = (prefix: string): string[] => {
  const roots = ['/sys/fs/cgroup', ...list('/sys/fs/cgroup').map((name) => `/sys/fs/cgroup/${name}`)]
  return roots.flatMap((root) =>
    list(join(root, 'caisson'))
      .filter((name) => name.startsWith(prefix))
      .map((name) => `cgroup ${root}/caisson/${name}`),
  )
}

/** State that belongs to something: bin, locks, content, layers, events and empty directories may stay. */
const stateFiles = (): string[] => {
  const owned: [string | undefined, string[]][] = [
    [process.env.CAISSON_ROOT, ['containers', 'networks', 'volumes', 'projects']],
    [process.env.CAISSON_RUN, ['containers', 'networks', 'claims/subnet', 'claims/ip', 'claims/port', 'claims/name']],
  ]
  return owned.flatMap(([root, kinds]) =>
    root === undefined
      ? []
      : kinds.flatMap((kind) => list(join(root, kind)).map((name) => `file ${join(root, kind, name)}`)),
  )
}

/** Named ones are visible to the whole machine; ours begin with the prefix. */
const namespaces = (prefix: string): string[] =>
  list('/run/netns')
    .filter((name) => name.startsWith(prefix))
    .map((name) => `netns ${name}`)

export const takeSnapshot = (): Snapshot => {
  const prefix = process.env.CAISSON_TEST_PREFIX
  return [
    ...processes(),
    ...mounts(),
    ...links(),
    ...(existsSync('/proc/self/net/nf_conntrack') || process.getuid?.() === 0 ? tables() : []),
    ...(prefix === undefined ? [] : [...cgroups(prefix), ...namespaces(prefix)]),
    ...stateFiles(),
  ].sort()
}

/** Lines that are in `after` and not in `before`. */
export const compareSnapshots = (before: Snapshot, after: Snapshot): string[] => {
  const known = new Set(before)
  return after.filter((line) => !known.has(line))
}

/** A snapshot once nothing is left behind, or after `limitMs`: the kernel removes namespaces and their links in its own time. */
export const settledSnapshot = async (before: Snapshot, limitMs = 3000): Promise<Snapshot> => {
  const deadline = Date.now() + limitMs
  for (;;) {
    const after = takeSnapshot()
    if (compareSnapshots(before, after).length === 0 || Date.now() > deadline) return after
    await sleep(50)
  }
}
