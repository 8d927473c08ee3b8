import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { labelsOf } from '../../src/engine/labels.ts'
import { volumeNames } from '../../src/engine/prepare.ts'
import type { UnpackedImage } from '../../src/oci/image-config.ts'
import { mounted, needs, project, service } from '../plan/models.ts'

const image = (...volumes: string[]): UnpackedImage => ({
  ...{ id: 'i', reference: 'r', layers: [], binds: [] },
  config: {
    ...{
      user: '',
      env: [],
      entrypoint: undefined,
      cmd: undefined,
      workingDir: '/',
      volumes,
      exposedPorts: [],
      healthcheck: undefined,
    },
    ...{ stopSignal: undefined, labels: {} },
  },
})
const named = (key: string) => `shop_${key}`

test('named volumes have the name of the file, anonymous ones a new one', () => {
  assert.equal(volumeNames(service('web', mounted('data')), image(), named, {}), {
    '/data': { name: 'shop_data', anonymous: false },
  })
  const { name, anonymous } = volumeNames(service('web', mounted(undefined)), image(), named, {})['/data'] ?? {}
  assert.match(name ?? '', /^[0-9a-f]{64}$/)
  assert.is(anonymous, true)
})

test('volumes of the image are anonymous, unless the service mounts something there', () => {
  const volumes = volumeNames(service('web', mounted('data')), image('/data', '/cache'), named, {})
  assert.equal(Object.keys(volumes), ['/data', '/cache'])
  assert.is(volumes['/cache']?.anonymous, true)
})

test('a replacement takes over the anonymous volumes by their targets, not the named ones', () => {
  const kept = { '/data': { name: 'old', anonymous: true }, '/cache': { name: 'shop_cache', anonymous: false } }
  const volumes = volumeNames(service('web', mounted(undefined)), image('/cache'), named, kept)
  assert.is(volumes['/data']?.name, 'old')
  assert.is.not(volumes['/cache']?.name, 'shop_cache')
})

test("a container has Compose's labels over its own, and those over its image's", () => {
  const web = service('web', { labels: { a: '1', 'com.docker.compose.service': 'x' }, dependsOn: needs('store') })
  const labels = labelsOf(project([web]), web, {
    ...{ number: 2, configHash: 'h', image: 'i', oneOff: false },
    imageLabels: { a: 'of the image', b: '2' },
  })
  assert.is(labels.a, '1')
  assert.is(labels.b, '2')
  assert.is(labels['com.docker.compose.service'], 'web')
  assert.is(labels['com.docker.compose.container-number'], '2')
  assert.is(labels['com.docker.compose.oneoff'], 'False')
  assert.is(labels['com.docker.compose.depends_on'], 'store:service_started:false')
  assert.is(labels['com.docker.compose.project.config_files'], '/shop/compose.yaml')
})

test.run()
