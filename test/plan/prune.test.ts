import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ObservedContainer } from '../../src/plan/observed.ts'
import { formatPlan } from '../../src/plan/plan.ts'
import { type PruneOptions, reconcilePrune } from '../../src/plan/prune.ts'
import { container, joined, made, mounted, network, observed, service } from './models.ts'

const api = service('api', joined('default'))
const store = service('store', { ...joined('back'), ...mounted('data') })
const both = [made(network('default')), made(network('back'))]
const ANY: PruneOptions = {
  ...{ volumes: false, isContainerWanted: () => true, isNetworkWanted: () => true, isVolumeWanted: () => true },
}
const ended: Partial<ObservedContainer> = { state: 'exited', exitCode: 0, run: undefined }
const volume = (name: string, anonymous: boolean) => ({
  ...{ name, key: name, project: 'shop', anonymous, labels: {}, present: true },
})

const plan = (containers: readonly ObservedContainer[], options: Partial<PruneOptions> = {}) =>
  formatPlan(
    reconcilePrune(
      'shop',
      observed({ containers, networks: both, volumes: [volume('shop_data', false), volume('left', true)] }),
      { ...ANY, ...options },
    ),
  )
    .trim()
    .split('\n')
    .map((line) => line.replace(/^.*: (\w+ \S+).*$/, '$1'))
    .filter(Boolean)

test('what runs stays, with its network; a network that nobody is on goes', () => {
  assert.equal(plan([container(api), container(store)]), [])
  assert.equal(plan([container(api)]), ['removeNetwork shop_back'])
})

test('what has ended goes, and then its network; named volumes stay', () => {
  assert.equal(plan([container(api), container(store, 1, ended)]), [
    'removeContainer shop-store-1',
    'removeNetwork shop_back',
  ])
})

test('what waits for its start stays; what was never started, one-offs and what lost its monitor go', () => {
  const waits: Partial<ObservedContainer> = { state: 'created', run: 'r1' }
  assert.equal(plan([container(api, 1, waits), container(store)]), [])
  assert.equal(plan([container(api, 1, { ...ended, state: 'created' }), container(store)]), [
    'removeContainer shop-api-1',
    'removeNetwork shop_default',
  ])
  assert.equal(plan([container(api), container(api, 2, { ...ended, oneOff: true }), container(store)]), [
    'removeContainer shop-api-2',
  ])
  assert.equal(plan([container(api), container(api, 2, { ...ended, state: 'lost' }), container(store)]), [
    'recoverContainer shop-api-2',
    'removeContainer shop-api-2',
  ])
})

test('anonymous volumes that nobody has go on request', () => {
  assert.equal(plan([container(api), container(store)], { volumes: true }), ['removeVolume left'])
  const user = container(store, 1, { volumes: ['left'] })
  assert.equal(plan([container(api), user], { volumes: true }), [])
})

test('filters keep what they do not want', () => {
  assert.equal(plan([container(api, 1, ended), container(store, 1, ended)], { isContainerWanted: () => false }), [])
  assert.equal(plan([container(api)], { isNetworkWanted: () => false }), [])
  assert.equal(plan([container(api), container(store)], { volumes: true, isVolumeWanted: () => false }), [])
})

test.run()
