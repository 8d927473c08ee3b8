import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ServiceMount } from '../../src/compose/project.ts'
import { encode } from '../../src/native/encode.ts'
import { launchPlan } from '../../src/native/launch-plan.ts'
import type { Allocation } from '../../src/spec/allocation.ts'
import { formatLaunchPlan } from '../../src/spec/format.ts'
import { golden } from './golden.ts'
import { allocation, type Changes, HYBRID, V1 } from './inputs.ts'
import { planOf } from './lowered.ts'

const none = new Uint8Array()
const bridge: Allocation['network'] = {
  mode: 'bridge',
  endpoints: [
    {
      bridge: 'cs-aaaabbbbccc',
      hostName: 'ch-1f2e3d4c',
      name: 'eth0',
      mac: new Uint8Array([2, 0x42, 172, 18, 0, 2]),
      mtu: 1500,
      address: new Uint8Array([172, 18, 0, 2]),
      prefixLength: 24,
      gateway: new Uint8Array([172, 18, 0, 1]),
    },
  ],
  firewall: new Uint8Array([1]),
  hostFirewall: new Uint8Array([1]),
  conntrackAddress: new Uint8Array([172, 18, 0, 2]),
  names: ['/run/caisson/networks/aaaabbbbcccc/names/web/172.18.0.2'],
  dns: {
    port: 61053,
    networks: [{ path: '/run/caisson/networks/aaaabbbbcccc/names', name: 'shop_default', internal: false }],
    aliases: [{ alias: 'database', name: 'db' }],
    forward: true,
    upstreams: [{ address: new Uint8Array([1, 1, 1, 1]), port: 53 }],
    seccomp: none,
  },
  listeners: [
    { protocol: 'tcp', splice: false, containerAddress: none, containerPort: 0 },
    { protocol: 'tcp', splice: true, containerAddress: new Uint8Array([172, 18, 0, 2]), containerPort: 80 },
  ],
}
const path = ['services', 'web', 'volumes', 0]
const volumes: ServiceMount[] = [
  { type: 'volume', source: 'data', target: '/data', readOnly: false, nocopy: false, subpath: undefined, path },
  {
    type: 'bind',
    source: '/srv/site',
    target: '/site',
    readOnly: true,
    createHostPath: false,
    propagation: undefined,
    recursive: undefined,
    path,
  },
  { type: 'tmpfs', target: '/tmp', readOnly: false, sizeBytes: 1 << 20, mode: 0o1777, options: [], path },
]

const cases: Readonly<Record<string, Changes>> = {
  'plain-v2': {},
  'plain-v1': { facts: { cgroup: V1 } },
  'plain-hybrid': { facts: { cgroup: HYBRID } },
  'everything-v2': {
    service: {
      entrypoint: ['/entry'],
      command: ['--verbose', 'two words'],
      environment: { MODE: 'test', GONE: null },
      volumes,
      workingDir: '/site',
      user: 'app',
      hostname: 'web',
      domainname: 'example.org',
      init: true,
      tty: true,
      stdinOpen: true,
      stopSignal: 'SIGINT',
      stopGraceMs: 3000,
      capAdd: ['SYS_PTRACE'],
      capDrop: ['MKNOD'],
      readOnly: true,
      ulimits: { nofile: { soft: 1024, hard: -1 } },
      memLimitBytes: 256 << 20,
      cpus: 0.5,
      pidsLimit: 100,
      shmSizeBytes: 1 << 20,
      securityOpt: ['no-new-privileges:true'],
    },
    image: { env: ['GONE=1', 'LANG=C.UTF-8'] },
    allocation: {
      volumes: { '/data': { source: '/state/volumes/shop_data/data', fromImage: false } },
      imageBinds: [{ source: '/usr', target: '/usr' }],
      accounts: { passwd: 'app:x:1000:1000::/home/app:/bin/sh\n', group: 'staff:x:50:app\n' },
      network: bridge,
      paths: { ...allocation().paths, upper: '', work: '' },
    },
  },
  'privileged-host-network': {
    service: { privileged: true, networkMode: 'host' },
    allocation: { network: { ...allocation().network, mode: 'host' } },
  },
}

for (const [name, changes] of Object.entries(cases)) {
  test(`the launch plan of ${name}`, () => {
    const plan = planOf(changes)
    golden(name, formatLaunchPlan(plan))
    assert.ok(encode(launchPlan, plan).length > 0)
  })
}

test('the same input gives the same bytes', () => {
  const changes = cases['everything-v2'] ?? {}
  assert.ok(encode(launchPlan, planOf(changes)).equals(encode(launchPlan, planOf(changes))))
})

test('netd brings its filter where there is one', () => {
  assert.ok(planOf(cases['everything-v2']).network.dns.seccomp.length > 0)
  assert.is(planOf().network.dns.seccomp.length, 0)
})

test('interfaces have no IPv6 and no setting is made where the host has none', () => {
  const settings = (ipv6: boolean) => planOf({ facts: { ipv6 }, allocation: { network: bridge } }).network.settings
  assert.ok(settings(true).some(({ path, value }) => path === 'net/ipv6/conf/eth0/disable_ipv6' && value === '1'))
  assert.not(settings(false).some(({ path }) => path.includes('ipv6')))
})

test.run()
