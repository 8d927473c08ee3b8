import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { UndoStep } from '../../src/native/launch-plan.ts'
import { containerPaths, runPaths } from '../../src/state/layout.ts'
import { undoSteps } from '../../src/state/undo.ts'

const roots = { root: '/root', run: '/run' }
const step = (kind: UndoStep['kind'], path: string): UndoStep => ({ scope: 'stop', kind, path, data: new Uint8Array() })

// An address must be given back after the last thing that points at it, the record after everything it is needed for.
test('what points at a container goes before its claims, and the run directory with its lock last of all', () => {
  const steps = undoSteps({
    id: 'abc',
    container: containerPaths(roots, 'abc'),
    run: runPaths(roots, 'abc'),
    network: {
      firewall: [step('firewall', '')],
      conntrack: [step('conntrack', '')],
      names: [step('unlink', '/names/web/10.0.0.2')],
      claims: [step('unlink', '/claims/ip/10.0.0.2')],
    },
    cgroups: ['/sys/fs/cgroup/caisson/shop/abc'],
    claims: ['/claims/name/shop-web-1'],
  })
  assert.equal(
    steps.map(({ scope, kind, path }) => `${scope} ${kind} ${path}`.trim()),
    [
      'stop firewall',
      'stop conntrack',
      'stop unlink /names/web/10.0.0.2',
      'stop cgroup /sys/fs/cgroup/caisson/shop/abc',
      'stop unlink /claims/ip/10.0.0.2',
      'stop tree /root/containers/abc/work',
      'remove tree /root/containers/abc/upper',
      'remove tree /root/containers/abc/work',
      'remove tree /root/containers/abc/log',
      'remove unlink /claims/name/shop-web-1',
      'remove unlink /root/containers/abc/record',
      'remove tree /root/containers/abc',
      'stop tree /run/containers/abc',
    ],
  )
})

test.run()
