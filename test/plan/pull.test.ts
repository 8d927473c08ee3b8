import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decidePull, mayBeOld, type PullFlag, type PullQuestion, readPullPolicy } from '../../src/plan/pull.ts'

const NOW = Date.UTC(2026, 0, 31)
const HOUR = 3_600_000
const DAY = 24 * HOUR

type Here = PullQuestion['here']
const ago = (time: number): Here => ({ pulledAt: NOW - time })
const LOADED: Here = { pulledAt: undefined }

const ask = (pullPolicy: string | undefined, here: Here, changes: Partial<PullQuestion> = {}) =>
  decidePull({
    service: { name: 'web', image: 'nginx', pullPolicy },
    ...{ flag: undefined, otherwise: 'missing', here, now: NOW, ...changes },
  })

/** Policy; its decision where the image is missing, fresh (an hour), older than a day, older than a week, and loaded. */
const POLICIES: readonly (readonly [string | undefined, ...string[]])[] = [
  [undefined, 'pull', 'use', 'use', 'use', 'use'],
  ['missing', 'pull', 'use', 'use', 'use', 'use'],
  ['if_not_present', 'pull', 'use', 'use', 'use', 'use'],
  ['refresh', 'pull', 'use', 'use', 'use', 'use'],
  ['always', 'pull', 'pull', 'pull', 'pull', 'pull'],
  ['never', 'refuse', 'use', 'use', 'use', 'use'],
  ['build', 'refuse', 'use', 'use', 'use', 'use'],
  ['daily', 'pull', 'use', 'pull', 'pull', 'pull'],
  ['weekly', 'pull', 'use', 'use', 'pull', 'pull'],
  ['every_30m', 'pull', 'pull', 'pull', 'pull', 'pull'],
  ['every_1d12h', 'pull', 'use', 'pull', 'pull', 'pull'],
  ['every_1w', 'pull', 'use', 'use', 'pull', 'pull'],
  ['every_0s', 'pull', 'pull', 'pull', 'pull', 'pull'],
]

const STATES: readonly Here[] = [undefined, ago(HOUR), ago(2 * DAY), ago(8 * DAY), LOADED]

for (const [policy, ...expected] of POLICIES)
  test(`pull_policy ${policy ?? 'that is not said'}, for every state of the image`, () =>
    assert.equal(
      STATES.map((here) => ask(policy, here).kind),
      expected,
    ))

const FLAGS: readonly (readonly [PullFlag, string, Here, string])[] = [
  ['always', 'never', ago(HOUR), 'pull'],
  ['always', 'never', undefined, 'pull'],
  ['missing', 'always', ago(HOUR), 'use'],
  ['missing', 'never', undefined, 'pull'],
  ['if_not_present', 'build', undefined, 'pull'],
  ['never', 'always', ago(HOUR), 'use'],
  ['never', 'always', undefined, 'refuse'],
  ['build', 'always', undefined, 'refuse'],
  ['policy', 'always', ago(HOUR), 'pull'],
  ['policy', 'never', undefined, 'refuse'],
]

for (const [flag, policy, here, expected] of FLAGS)
  test(`--pull ${flag} goes over pull_policy ${policy}, image ${here ? 'here' : 'missing'}: ${expected}`, () =>
    assert.is(ask(policy, here, { flag }).kind, expected))

test('pull asks the registry where nobody says anything, and follows the policy where somebody does', () => {
  const kindOf = (policy: string | undefined) => ask(policy, ago(HOUR), { otherwise: 'always' }).kind
  assert.equal([undefined, 'missing', 'daily', 'never'].map(kindOf), ['pull', 'use', 'use', 'use'])
})

test('an image that is here may be used although a pull is wanted', () => {
  assert.equal(ask('always', ago(HOUR)), { kind: 'pull', needed: false })
  assert.equal(ask('always', undefined), { kind: 'pull', needed: true })
})

test('what a digest names is not pulled again', () => {
  const service = { name: 'web', image: `nginx@sha256:${'a'.repeat(64)}`, pullPolicy: 'always' }
  assert.is(ask(undefined, ago(8 * DAY), { service }).kind, 'use')
  assert.is(ask(undefined, undefined, { service }).kind, 'pull')
})

test('an image pulled in the future, by a clock that was wrong, is pulled again', () =>
  assert.is(ask('weekly', { pulledAt: NOW + 365 * DAY }).kind, 'pull'))

const findingOf = (policy: string | undefined, flag?: PullFlag) => {
  const decision = ask(policy, undefined, { flag })
  assert.is(decision.kind, 'refuse')
  return decision.kind === 'refuse' ? decision.finding : undefined
}

test('a refusal stands at the policy that forbids it, or at the image where a flag does', () => {
  assert.equal(findingOf('never')?.path, ['services', 'web', 'pull_policy'])
  assert.equal(findingOf('always', 'never')?.path, ['services', 'web', 'image'])
  for (const finding of [findingOf('never'), findingOf('build'), findingOf(undefined, 'never')]) {
    assert.is(finding?.code, 'plan/image-not-here')
    assert.match(finding?.message ?? '', 'nginx')
    assert.ok(finding?.hint)
  }
})

test('times are those of Compose durations', () => {
  assert.equal(readPullPolicy('every_1w2d3h4m5s'), {
    kind: 'refresh',
    afterMs: 9 * DAY + 3 * HOUR + 4 * 60_000 + 5000,
  })
  assert.equal(readPullPolicy('daily'), { kind: 'refresh', afterMs: DAY })
})

test('who refreshes now and then goes on with what is here, always means it', () => {
  const will = (pullPolicy: string | undefined, flag?: 'always' | 'missing') => mayBeOld({ pullPolicy }, flag)
  assert.equal(
    ['daily', 'every_2h', 'always', 'missing', undefined].map((policy) => will(policy)),
    [...[true, true, false, false, false]],
  )
  assert.is(will('daily', 'always'), false)
})

test.run()
