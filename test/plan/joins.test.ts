import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Project, Service } from '../../src/compose/project.ts'
import { reconcileRestart, reconcileStart } from '../../src/plan/resume.ts'
import { namespaceConflicts } from '../../src/plan/namespaces.ts'
import type { Observed, ObservedContainer } from '../../src/plan/observed.ts'
import { formatPlan } from '../../src/plan/plan.ts'
import type { UpPlanOptions } from '../../src/plan/making.ts'
import { reconcileUp } from '../../src/plan/reconcile.ts'
import { container, needs, observed, project, service, upOptions } from './models.ts'

const vpn = service('vpn')
const app = service('app', { networkMode: 'service:vpn', dependsOn: needs('vpn', { restart: true }) })
const of = project([vpn, app])

const shares = (run: string, id = 'vpn1', of: Service = app): ObservedContainer =>
  container(of, 1, { joins: [{ namespace: 'network', container: id, run }] })

const up = (there: Observed, options: Partial<UpPlanOptions> = {}, model: Project = of) =>
  reconcileUp(model, there, upOptions(model, options)).plan
const text = (there: Observed, options: Partial<UpPlanOptions> = {}, model: Project = of) =>
  `\n${formatPlan(up(there, options, model))}`

test('who shares a namespace is recorded first and built once the other runs', () => {
  assert.is(
    text(observed()),
    `
[] -> #0 service:vpn:1: createContainer shop-vpn-1 (not there yet)
[] -> #1 service:app:1: createContainer shop-app-1 (not there yet)
[0/skip] -> #2 service:vpn:1: startContainer shop-vpn-1 (created)
[1/skip, 2] -> #3 service:app:1: startContainer shop-app-1 (created)
`,
  )
  const operation = up(observed()).nodes[1]?.operation
  assert.is(operation?.kind === 'createContainer' && operation.build, false)
})

test('a namespace of the run that goes on is kept', () => {
  assert.is(text(observed({ containers: [container(vpn), shares('run-vpn1')] })), '\n')
})

test('a container that shares with one that is replaced runs anew, as it is', () => {
  const old = container(service('vpn', { environment: { A: '1' } }))
  assert.is(
    text(observed({ containers: [old, shares('run-vpn1')] })),
    `
[] -> #0 service:app:1: stopContainer shop-app-1 (network namespace of shop-vpn-1 is a new one)
[0/warn] -> #1 service:vpn:1: stopContainer shop-vpn-1 (environment changed)
[1] -> #2 service:vpn:1: removeContainer shop-vpn-1 (environment changed)
[2] -> #3 service:vpn:1: createContainer shop-vpn-1 (environment changed)
[3/skip] -> #4 service:vpn:1: startContainer shop-vpn-1 (environment changed)
[0, 4] -> #5 service:app:1: startContainer shop-app-1 (network namespace of shop-vpn-1 is a new one)
`,
  )
})

test('a container that shares with one that is started again is started again', () => {
  const ended = container(vpn, 1, { state: 'exited', exitCode: 1, run: undefined })
  assert.is(
    text(observed({ containers: [ended, shares('run-vpn1')] })),
    `
[] -> #0 service:app:1: stopContainer shop-app-1 (network namespace of shop-vpn-1 is a new one)
[] -> #1 service:vpn:1: startContainer shop-vpn-1 (exited (1))
[0, 1] -> #2 service:app:1: startContainer shop-app-1 (network namespace of shop-vpn-1 is a new one)
`,
  )
})

test('a namespace of an earlier run is noticed, also after the other was started by itself', () => {
  assert.is(
    text(observed({ containers: [container(vpn), shares('earlier')] })),
    `
[] -> #0 service:app:1: stopContainer shop-app-1 (network namespace of shop-vpn-1 is a new one)
[0] -> #1 service:app:1: startContainer shop-app-1 (network namespace of shop-vpn-1 is a new one)
`,
  )
})

test('up of the other alone takes along who runs in its namespaces, and nobody else', () => {
  const alone = { services: ['vpn'], forceRecreate: true }
  const side = service('side', { networkMode: 'service:app' })
  const selected = project([vpn], { disabled: [app, side] })
  const last = shares('run-app1', 'app1', side)
  assert.is(
    text(observed({ containers: [last, shares('run-vpn1'), container(vpn)] }), alone, selected),
    `
[] -> #0 service:side:1: stopContainer shop-side-1 (shares a namespace that begins anew)
[] -> #1 service:app:1: stopContainer shop-app-1 (shares a namespace that begins anew)
[] -> #2 service:vpn:1: stopContainer shop-vpn-1 (--force-recreate)
[2] -> #3 service:vpn:1: removeContainer shop-vpn-1 (--force-recreate)
[3] -> #4 service:vpn:1: createContainer shop-vpn-1 (--force-recreate)
[4/skip] -> #5 service:vpn:1: startContainer shop-vpn-1 (--force-recreate)
[1, 5] -> #6 service:app:1: startContainer shop-app-1 (shares a namespace that begins anew)
[0, 6] -> #7 service:side:1: startContainer shop-side-1 (shares a namespace that begins anew)
`,
  )
  const ended = { ...container(app), state: 'exited' as const, run: undefined }
  assert.not.match(text(observed({ containers: [container(vpn), ended] }), alone, selected), /shop-app-1/)
})

test('chains are followed', () => {
  const side = service('side', { networkMode: 'service:app', dependsOn: needs('app', { restart: true }) })
  const chain = project([vpn, app, side])
  const last = shares('run-app1', 'app1', side)
  const old = container(service('vpn', { environment: { A: '1' } }))
  const plan = text(observed({ containers: [old, shares('run-vpn1'), last] }), {}, chain)
  assert.match(plan, /startContainer shop-side-1 \(network namespace of shop-app-1 is a new one\)/)
})

test('without its dependency a reference needs a container that is there', () => {
  const alone = { services: ['app'], noDeps: true }
  assert.throws(() => up(observed(), alone), /service app shares the network namespace of service vpn, which has no/)
  const plan = text(observed({ containers: [container(vpn)] }), alone)
  assert.match(plan, /createContainer shop-app-1/)
})

test('a container of another project is found by name and by id', () => {
  const other = container(service('db'), 1, { id: 'abcdef123456', name: 'else-db-1', run: 'second' })
  for (const reference of ['else-db-1', 'abcdef12']) {
    const of = service('app', { pid: `container:${reference}` })
    const sharing = (run: string) => container(of, 1, { joins: [{ namespace: 'pid', container: 'abcdef123456', run }] })
    const plan = (run: string) => text(observed({ containers: [sharing(run)], elsewhere: [other] }), {}, project([of]))
    assert.is(plan('second'), '\n')
    assert.match(plan('first'), /startContainer shop-app-1 \(pid namespace of else-db-1 is a new one\)/)
  }
  assert.throws(() => up(observed(), {}, project([service('app', { pid: 'container:none' })])), /has no container/)
})

test('start and restart take along who shares, in the order of dependencies', () => {
  const options = { services: ['vpn'], timeoutMs: undefined, wait: false, noDeps: false }
  const target = { name: 'shop', project: of }
  const running = observed({ containers: [container(vpn), shares('run-vpn1')] })
  assert.is(
    `\n${formatPlan(reconcileRestart(target, running, options))}`,
    `
[] -> #0 service:app:1: stopContainer shop-app-1 (restart)
[0/warn] -> #1 service:vpn:1: stopContainer shop-vpn-1 (restart)
[1] -> #2 service:vpn:1: startContainer shop-vpn-1 (restart)
[0, 2] -> #3 service:app:1: startContainer shop-app-1 (restart)
`,
  )
  const ended = container(vpn, 1, { state: 'exited', exitCode: 0, run: undefined })
  assert.is(
    `\n${formatPlan(reconcileStart(target, observed({ containers: [ended, shares('run-vpn1')] }), options))}`,
    `
[] -> #0 service:app:1: stopContainer shop-app-1 (shares a namespace that begins anew)
[] -> #1 service:vpn:1: startContainer shop-vpn-1 (exited (0))
[0, 1] -> #2 service:app:1: startContainer shop-app-1 (shares a namespace that begins anew)
`,
  )
})

const conflicts = (values: Partial<Service>, others: readonly Service[] = [vpn]) => {
  const checked = service('app', values)
  return namespaceConflicts(project([checked, ...others]), checked).map(({ path }) => path.join('.'))
}

test('what belongs to the owner of the network cannot be said by who shares it', () => {
  const said: Partial<Service> = {
    ...{
      networkMode: 'service:vpn',
      expose: ['80/tcp'],
      hostname: 'a',
      dns: ['1.1.1.1'],
      extraHosts: { a: ['1.1.1.1'] },
    },
    ports: [{ target: 80, published: undefined, hostIp: undefined, protocol: 'tcp', path: [] }],
  }
  assert.equal(
    conflicts(said),
    ['ports', 'expose', 'hostname', 'dns', 'extra_hosts'].map((key) => `services.app.${key}`),
  )
  assert.equal(conflicts({ ...said, networkMode: 'host' }), [])
})

test('modes that do not exist, and a private ipc namespace, are refused with their place', () => {
  assert.equal(conflicts({ ipc: 'shared' }), ['services.app.ipc'])
  assert.equal(conflicts({ pid: 'private' }), ['services.app.pid'])
  assert.equal(conflicts({ uts: 'service:vpn' }), ['services.app.uts'])
  assert.equal(conflicts({ cgroup: 'none', usernsMode: 'keep-id' }), [
    'services.app.cgroup',
    'services.app.userns_mode',
  ])
  assert.equal(conflicts({ ipc: 'service:vpn' }), ['services.app.ipc'])
  assert.equal(conflicts({ ipc: 'service:vpn' }, [service('vpn', { ipc: 'shareable' })]), [])
  assert.equal(conflicts({ uts: 'host', hostname: 'box' }), ['services.app.hostname'])
  assert.equal(conflicts({ pid: 'container:' }), ['services.app.pid'])
})

test.run()
