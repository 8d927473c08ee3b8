/** doctor: what this machine lacks, each with what to do about it. Looks only; changes nothing. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import type { HostFacts } from '../native/host-facts.ts'
import { findNative, loadNative } from '../native/load.ts'
import { readHostFacts } from './host-facts.ts'
import type { Check, EngineOptions } from './types.ts'

const check = (name: string, isFine: boolean, state: 'warning' | 'missing', message: string, fix: string): Check => ({
  name,
  state: isFine ? 'ok' : state,
  message,
  fix: isFine ? undefined : fix,
})

const MINIMUM = { major: 5, minor: 10 }

const kernelCheck = ({ kernel: { release, major, minor } }: HostFacts): Check => {
  const isFine = major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor)
  return check(
    'kernel',
    isFine,
    'missing',
    `Linux ${release}`,
    `Linux ${MINIMUM.major}.${MINIMUM.minor} or later is needed`,
  )
}

const rootCheck = ({ uid }: HostFacts): Check =>
  check(
    'privileges',
    uid === 0,
    'missing',
    uid === 0 ? 'root' : `uid ${uid}`,
    'run with sudo: containers are started as root',
  )

const nativeChecks = (): readonly Check[] => {
  try {
    loadNative()
    return [check('native core', true, 'missing', findNative().addon, '')]
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [
      check('native core', false, 'missing', message, 'run `npm run build` (it needs g++ and the static libstdc++)'),
    ]
  }
}

const WANTED_V1 = ['memory', 'cpu', 'pids', 'devices'] as const

const cgroupChecks = ({ cgroup }: HostFacts): readonly Check[] => {
  const missing = WANTED_V1.filter((name) => {
    if (cgroup.v1[name] !== undefined) return false
    return name === 'devices' ? cgroup.v2 === undefined : !cgroup.v2Controllers.includes(name)
  })
  const fix =
    cgroup.mode === 'none'
      ? 'mount them: mount -t cgroup2 none /sys/fs/cgroup'
      : `enable the ${missing.join(', ')} controller in the kernel or its command line: limits on it fail`
  return [
    check('cgroups', cgroup.mode !== 'none', 'missing', `cgroup ${cgroup.mode}`, fix),
    check(
      'cgroup controllers',
      missing.length === 0,
      'warning',
      missing.length === 0 ? WANTED_V1.join(', ') : `without ${missing.join(', ')}`,
      fix,
    ),
  ]
}

const hasNfTables = (): boolean => {
  if (existsSync('/proc/net/netfilter') || existsSync('/sys/module/nf_tables')) return true
  try {
    return /\bnf_tables\b/.test(readFileSync('/proc/modules', 'utf8'))
  } catch {
    return false
  }
}

const onOverlay = ({ kernel: { major, minor } }: HostFacts): string => {
  const memory = 'what containers write is kept in memory until they end'
  const isOld = major < 6 || (major === 6 && minor < 8)
  return isOld ? `${memory}, and images whose layers delete something are refused` : memory
}

const fileSystemChecks = (facts: HostFacts): readonly Check[] => {
  const filesystems = existsSync('/proc/filesystems') ? readFileSync('/proc/filesystems', 'utf8') : ''
  return [
    check('overlayfs', /\boverlay\b/.test(filesystems), 'missing', 'union of image layers', 'modprobe overlay'),
    check(
      'state root',
      !facts.stateOnOverlay,
      'warning',
      facts.stateOnOverlay ? `lies on an overlay: ${onOverlay(facts)}` : 'can hold what containers write',
      'set CAISSON_ROOT to a directory on another file system, or mount a volume there',
    ),
  ]
}

const networkChecks = async (engine: EngineOptions, facts: HostFacts): Promise<readonly Check[]> => {
  const checks = [
    check(
      'nf_tables',
      hasNfTables(),
      'missing',
      'published ports and masquerading',
      'modprobe nf_tables nft_chain_nat nft_masq',
    ),
    check(
      'IPv6',
      facts.ipv6,
      'warning',
      facts.ipv6 ? 'published on [::] too' : 'off: ports are published on IPv4 only',
      'sysctl net.ipv6.conf.all.disable_ipv6=0',
    ),
  ]
  if (facts.uid !== 0) return checks
  return [...checks, ...(await foreignChecks(engine))]
}

/** Rules of others that would drop what containers send. */
const foreignChecks = async (engine: EngineOptions): Promise<readonly Check[]> => {
  const [{ withSession }, { forwardBarriers }] = await Promise.all([
    import('./session.ts'),
    import('../network/forward-guard.ts'),
  ])
  try {
    const barriers = await withSession(engine, (session) => forwardBarriers(session.networkRoot()))
    if (barriers.length === 0) return [check('forwarding', true, 'warning', 'no foreign rule drops it', '')]
    return barriers.map(({ rule, open, hint }) =>
      check('forwarding', open || hint === undefined, 'warning', rule, hint ?? ''),
    )
  } catch (error) {
    return [
      check('forwarding', false, 'warning', error instanceof Error ? error.message : String(error), 'see the message'),
    ]
  }
}

const canWrite = (path: string): boolean => {
  for (let directory = path; ; directory = directory.slice(0, directory.lastIndexOf('/')) || '/') {
    if (existsSync(directory)) {
      try {
        accessSync(directory, constants.W_OK)
        return true
      } catch {
        return false
      }
    }
  }
}

const placeChecks = ({ root, run }: EngineOptions): readonly Check[] =>
  [root, run].map((path, index) => {
    const variable = index === 0 ? 'CAISSON_ROOT' : 'CAISSON_RUN'
    return check(variable, canWrite(path), 'missing', path, `make it writable, or set ${variable}`)
  })

const UNIT = 'caisson.service'
const UNIT_DIRECTORIES = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
]

/** Nothing of ours runs after a reboot unless somebody starts it. */
const rebootCheck = (): Check => {
  const hasSystemd = existsSync('/run/systemd/system')
  const isThere = UNIT_DIRECTORIES.some((directory) => existsSync(`${directory}/${UNIT}`))
  const message = isThere
    ? `${UNIT} is installed`
    : hasSystemd
      ? 'services with a restart policy do not come back by themselves'
      : 'no systemd here: `caisson system boot` starts services with a restart policy again'
  const install = `caisson doctor --systemd-unit > /etc/systemd/system/${UNIT} && systemctl enable ${UNIT}`
  return check('reboot', isThere || !hasSystemd, 'warning', message, install)
}

/** Every check, in the order in which to mend things. */
export const doctor = async (engine: EngineOptions): Promise<readonly Check[]> => {
  const facts = readHostFacts(engine)
  return [
    ...[kernelCheck(facts), rootCheck(facts)],
    ...nativeChecks(),
    ...cgroupChecks(facts),
    ...fileSystemChecks(facts),
    ...placeChecks(engine),
    ...(await networkChecks(engine, facts)),
    rebootCheck(),
  ]
}
