import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inspectView } from '../../src/cli/render/inspect.ts'
import { formatTemplate } from '../../src/cli/render/template.ts'
import type { ContainerDetails } from '../../src/index.ts'
import { service } from '../plan/models.ts'
import { record, status } from '../state/world.ts'
import { row } from './rows.ts'

const details = (values: Partial<ContainerDetails> = {}): ContainerDetails => ({
  row: row({
    ...{ state: 'running', pid: 42, restarts: 2, health: 'healthy', exposed: ['80/tcp', '81/tcp'] },
    publishers: [{ hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  }),
  record: record('0123456789ab', {
    command: ['sleep', '60'],
    networks: [{ id: 'n1', name: 'shop_default', key: 'default', aliases: ['web'] }],
    volumes: { '/data': { name: 'shop_data', anonymous: false } },
    definition: service('web', {
      ...{ memLimitBytes: 1 << 20, cpus: 0.5, command: ['sleep', '60'] },
      restart: { policy: 'on-failure', maximumRetries: 3, delayMs: undefined, windowMs: undefined },
      ports: [{ target: 80, published: { first: 8080, last: 8080 }, hostIp: '127.0.0.1', protocol: 'tcp', path: [] }],
      volumes: [
        {
          type: 'volume',
          source: 'data',
          target: '/data',
          readOnly: true,
          path: [],
          nocopy: false,
          subpath: undefined,
        },
        {
          ...{ type: 'bind', source: '/srv', target: '/srv', readOnly: false, path: [], createHostPath: true },
          ...{ propagation: undefined, recursive: undefined },
        },
      ],
    }),
  }),
  status: status('running', { startedAt: '2026-01-01T00:00:00.123456789Z' }),
  run: {
    ...{ version: 1, run: 'a1', joins: [], ports: [], publications: [], layers: [] },
    addresses: [
      {
        ...{ network: 'n1', name: 'shop_default', address: '10.1.0.2', prefixLength: 24, gateway: '10.1.0.1' },
        mac: '02:42:0a:01:00:02',
      },
    ],
  },
  health: {
    ...{ version: 1, status: 'healthy', failingStreak: 0 },
    log: [{ start: '2026-01-01T00:00:01Z', end: '2026-01-01T00:00:02Z', exitCode: 0, output: 'fine' }],
  },
  image: undefined,
  networks: [],
  env: ['A=1'],
  logDirectory: '/state/log',
  volumes: [{ target: '/data', name: 'shop_data', source: '/state/volumes/shop_data/data' }],
  ...values,
})
const of = (template: string, values: Partial<ContainerDetails> = {}): string =>
  formatTemplate(template, [inspectView(details(values))], {}).trimEnd()

test('what people ask docker inspect for is found where they look', () => {
  assert.is(of('{{.Name}} {{.Id}} {{.State.Status}} {{.State.Pid}}'), '/shop-web-1 0123456789ab running 42')
  assert.is(of('{{.State.Health.Status}} {{json .State.Health.Log}}').split(' ')[0], 'healthy')
  assert.is(of('{{.State.StartedAt}}'), '2026-01-01T00:00:00.123456789Z')
  assert.is(of('{{.State.FinishedAt}}'), '0001-01-01T00:00:00Z')
  assert.is(of('{{.RestartCount}} {{.HostConfig.RestartPolicy.Name}}'), '2 on-failure')
  assert.is(
    of('{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.Binds}}'),
    '1048576 500000000 [/srv:/srv:rw]',
  )
  assert.is(of('{{index .NetworkSettings.Networks "shop_default" "IPAddress"}}'), '10.1.0.2')
  assert.is(
    of('{{json .NetworkSettings.Ports}}'),
    '{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}],"81/tcp":null}',
  )
  assert.is(of('{{.Config.Env}} {{.Config.Cmd}}'), '[A=1] [sleep 60]')
  assert.is(of('{{len .Mounts}} {{json .Mounts}}').startsWith('2 [{"Type":"volume","Name":"shop_data",'), true)
})

test('a container that never ran has no health, no pid and no address', () => {
  const values = { row: row({ state: 'created', pid: 0 }), status: undefined, run: undefined, health: undefined }
  assert.is(of('{{.State.Running}} {{.State.Pid}} {{.State.StartedAt}}', values), 'false 0 0001-01-01T00:00:00Z')
  assert.throws(() => of('{{.State.Health.Status}}', values), /\.State\.Health\.Status/)
  assert.is(of('{{index .NetworkSettings.Networks "shop_default" "IPAddress"}}', values), '')
})

test('a secret is shown by its place and never by its content', () => {
  const files = (['secret', 'config'] as const).map((kind) => ({
    ...({
      kind,
      key: 'token',
      source: { type: 'content', content: 'hunter2' },
      target: `/run/${kind}s/token`,
    } as const),
    ...{ uid: undefined, gid: undefined, mode: undefined, path: [] },
  }))
  const text = JSON.stringify(
    inspectView(details({ record: record('0123456789ab', { definition: service('web', { files }) }) })),
  )
  assert.not.match(text, 'hunter2')
  assert.match(text, '"Destination":"/run/secrets/token"')
})

test('a frozen container counts as running, as docker has it', () => {
  assert.is(of('{{.State.Running}} {{.State.Paused}}', { row: row({ state: 'paused' }) }), 'true true')
})

test.run()
