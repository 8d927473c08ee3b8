/**
 * Images from a registry on the loopback of the rivals' network, each engine into its own store on the same disk. A Debian root
 * filesystem (CAISSON_BENCH_ROOTFS, a tarball; otherwise mmdebstrap makes one) as one layer, and an image of twenty layers.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import { type Command, interleave, ms, type Row } from './measure.ts'
import { among, peers, time } from './peers.ts'
import { argv, environment, scratch } from './world.ts'

const PORT = 5999
const RUNS = 5
const LAYERS = 20
const store = join(scratch, 'registry')

const hasProgram = (name: string): boolean => spawnSync('which', [name]).status === 0

/** The deepest child of a process: what its wrappers run. */
const innermost = (pid: number): number => {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return child === undefined ? pid : innermost(Number(child))
}

const until = async (what: string, isTrue: () => boolean): Promise<void> => {
  const deadline = Date.now() + 20_000
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`no ${what} within 20 s`)
    await setTimeout(50)
  }
}

const answers = (network: string): boolean =>
  spawnSync('nsenter', [`--net=${network}`, 'curl', '-sf', `http://127.0.0.1:${PORT}/v2/`]).status === 0

interface Place {
  /** Network namespace file of the rivals. */
  readonly network: string
  readonly stop: () => void
}

const open = async (): Promise<Place> => {
  const holder = spawn(peers ?? '', ['sleep', '3600'], { stdio: 'ignore', cwd: scratch })
  const isInside = () => readFileSync(`/proc/${innermost(holder.pid ?? 0)}/comm`, 'utf8') === 'sleep\n'
  await until('network of the rivals', isInside)
  const inside = innermost(holder.pid ?? 0)
  const network = `/proc/${inside}/ns/net`
  mkdirSync(store, { recursive: true })
  const config = join(scratch, 'registry.yml')
  const storage = `storage: {filesystem: {rootdirectory: ${store}}}`
  writeFileSync(config, `version: 0.1\nlog: {level: error}\n${storage}\nhttp: {addr: 127.0.0.1:${PORT}}\n`)
  const registry: ChildProcess = spawn('nsenter', [`--net=${network}`, 'docker-registry', 'serve', config], {
    stdio: 'ignore',
  })
  const stop = () => {
    registry.kill()
    process.kill(inside)
  }
  await until('registry', () => answers(network)).catch((error: unknown) => {
    stop()
    throw error
  })
  return { network, stop }
}

/** One that no engine has seen before: whatever else they hold shares no layer with it. */
const freshRootfs = (): string => {
  const path = join(scratch, 'fresh.tar')
  writeFileSync(join(scratch, 'seen'), randomBytes(16).toString('hex'))
  execFileSync('cp', [rootfs(), path])
  execFileSync('tar', ['-C', scratch, '-rf', path, 'seen'])
  return path
}

const rootfs = (): string => {
  const given = process.env.CAISSON_BENCH_ROOTFS
  if (given !== undefined) return given
  const path = join(scratch, 'rootfs.tar')
  execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', 'bookworm', path], { stdio: 'ignore' })
  return path
}

const NAMES = ['rootfs', 'twenty'] as const
const reference = (name: string): string => `127.0.0.1:${PORT}/${name}:1`

/** Docker makes and pushes them: what comes is what users' registries hold. */
const publish = (): void => {
  among(`docker import ${freshRootfs()} ${reference('rootfs')} && docker push -q ${reference('rootfs')}`, scratch)
  const context = join(scratch, 'twenty')
  const lines = Array.from({ length: LAYERS }, (_, index) => {
    mkdirSync(join(context, `d${index}`), { recursive: true })
    writeFileSync(join(context, `d${index}/noise`), randomBytes(4_000_000))
    writeFileSync(join(context, `d${index}/text`), 'what compresses well\n'.repeat(200_000))
    return `COPY d${index} /d${index}\n`
  })
  writeFileSync(join(context, 'Dockerfile'), `FROM scratch\n${lines.join('')}`)
  among(`docker build -q -t ${reference('twenty')} twenty && docker push -q ${reference('twenty')}`, scratch)
}

const content = join(environment.CAISSON_ROOT ?? '', 'content')
const clear = () => rmSync(content, { recursive: true, force: true })

const own = (network: string, ...args: readonly string[]): Command => ({
  argv: ['nsenter', `--net=${network}`, ...argv(...args)],
  env: environment,
  cwd: scratch,
})

/** Layers of an image as the registry stores them. */
const blobsOf = (name: string): readonly string[] => {
  const links = join(store, `docker/registry/v2/repositories/${name}/_layers/sha256`)
  return readdirSync(links)
    .map((hex) => join(store, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data'))
    .filter((path) => statSync(path).size > 10_000)
}

/** Decompression of all layers, as many at once as there are processors: no engine can be faster with this decoder. */
const decompression = (name: string): Command => ({
  argv: ['sh', '-c', `printf '%s\\n' ${blobsOf(name).join(' ')} | xargs -P 2 -n 1 gzip -dc >/dev/null`],
})

interface Rival {
  readonly label: string
  /** undefined: it could not be measured. */
  readonly medianMs: number | undefined
}

const rival = (label: string, command: string, prepare: string): Rival => ({
  label,
  medianMs: time({ command, prepare }, scratch, RUNS)?.medianMs,
})

const shown = ({ label, medianMs }: Rival): string => `${label} ${medianMs === undefined ? '-' : ms(medianMs)}`

/** `rivals`: who does the same; `others`: what else there is to compare with. */
const against = (what: string, ours: number | undefined, rivals: readonly Rival[], others: readonly string[]): Row => {
  const fastest = Math.min(...rivals.map(({ medianMs }) => medianMs ?? Number.POSITIVE_INFINITY))
  return {
    what,
    ours: ms(ours ?? Number.NaN),
    budget: 'the fastest rival',
    met: ours === undefined || !Number.isFinite(fastest) ? undefined : ours < fastest,
    beside: [...rivals.map(shown), ...others].join(', '),
  }
}

const QUIET = '>/dev/null 2>&1 || true'

const pulls = (network: string, name: (typeof NAMES)[number]): Row => {
  const image = reference(name)
  const samples = interleave(
    { caisson: { ...own(network, 'image', 'pull', '-q', image), before: clear }, gzip: decompression(name) },
    RUNS,
  )
  const forgetDocker = `sh -c "docker rmi -f ${image} ${QUIET}; docker builder prune -af ${QUIET}"`
  const forgetPodman = `sh -c "podman rmi -af ${QUIET}"`
  const rivals = [
    rival('Docker', `docker pull -q ${image}`, forgetDocker),
    rival('Podman', `podman pull -q --tls-verify=false ${image}`, forgetPodman),
  ]
  const copy = `skopeo copy -q --src-tls-verify=false docker://${image} oci:skopeo:x`
  return against(
    `image pull, ${name === 'rootfs' ? 'a Debian root filesystem' : 'twenty layers'}`,
    samples.caisson?.medianMs,
    rivals,
    [
      shown(rival('skopeo copy, not unpacked', copy, 'rm -rf skopeo')),
      `gzip -dc of its layers ${ms(samples.gzip?.medianMs ?? Number.NaN)}`,
    ],
  )
}

/** Most memory that the process has had, MB. */
const memory = async (network: string, name: string): Promise<number> => {
  clear()
  const { argv: words } = own(network, 'image', 'pull', '-q', reference(name))
  const [file = '', ...rest] = words
  const child = spawn(file, rest, { env: environment, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let peak = 0
  const look = () => {
    try {
      const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
      peak = Math.max(peak, Number(kilobytes ?? 0))
    } catch {}
  }
  const timer = setInterval(look, 10)
  await ended
  clearInterval(timer)
  return Math.round(peak / 1024)
}

const archives = (network: string): readonly Row[] => {
  const image = reference('rootfs')
  const file = join(scratch, 'saved.tar')
  const forget = () => rmSync(file, { force: true })
  const [program = '', ...words] = own(network, 'image', 'pull', '-q', image).argv
  execFileSync(program, words, { env: environment, stdio: 'ignore' })
  const { save, load } = interleave(
    {
      save: { ...own(network, 'image', 'save', '-o', file, image), before: forget },
      load: { ...own(network, 'image', 'load', '-q', '-i', file), before: clear },
    },
    RUNS,
  )
  among(`docker pull -q ${image}; podman pull -q --tls-verify=false ${image}`, scratch)
  const what = 'of a Debian root filesystem'
  const forgetDocker = `sh -c "docker rmi -f ${image} ${QUIET}"`
  return [
    against(
      `image save ${what}`,
      save?.medianMs,
      [
        rival('Docker', `docker save -o d.tar ${image}`, 'rm -f d.tar'),
        rival('Podman', `podman save -q -o p.tar ${image}`, 'rm -f p.tar'),
      ],
      [],
    ),
    against(
      `image load ${what}`,
      load?.medianMs,
      [
        rival('Docker', 'docker load -q -i d.tar', forgetDocker),
        rival('Podman', 'podman load -q -i p.tar', `sh -c "podman rmi -af ${QUIET}"`),
      ],
      [],
    ),
  ]
}

const missing = (): string | undefined => {
  if (peers === undefined) return 'CAISSON_BENCH_PEERS is not set'
  const programs = ['docker-registry', 'curl', ...(process.env.CAISSON_BENCH_ROOTFS ? [] : ['mmdebstrap'])]
  const absent = programs.find((name) => !hasProgram(name))
  return absent === undefined ? undefined : `there is no ${absent}`
}

export const images = async (): Promise<Row[]> => {
  const why = missing()
  if (why !== undefined) {
    process.stderr.write(`bench: images: skipped: ${why}\n`)
    return []
  }
  const place = await open()
  try {
    publish()
    const rows = NAMES.map((name) => pulls(place.network, name))
    const most = Math.max(await memory(place.network, 'rootfs'), await memory(place.network, 'twenty'))
    rows.push({ what: 'memory while pulling', ours: `${most} MB`, budget: '150 MB', met: most < 150, beside: '' })
    return [...rows, ...archives(place.network)]
  } finally {
    place.stop()
    if (existsSync(content)) clear()
    among(`docker rmi -f ${NAMES.map(reference).join(' ')} ${QUIET}; docker builder prune -af ${QUIET}`, scratch)
  }
}
