/** Drives the live list with events of an imaginary plan; run on a terminal by live.test.ts. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createContext } from '../../src/cli/context.ts'
import { parseGlobals } from '../../src/cli/command-line.ts'
import { createProgress } from '../../src/cli/render/progress.ts'
import { CaissonError } from '../../src/errors.ts'
import type { EngineEvent, Operation, PlanNode } from '../../src/index.ts'

const fails = process.argv.includes('fails')
const slow = !process.argv.includes('fast')

const node = (id: number, resource: string, operation: Operation): PlanNode => ({
  id,
  operation,
  resource,
  cause: 'not there yet',
  after: [],
})
const network = node(0, 'network:default', { kind: 'createNetwork', key: 'default' })
const create = node(1, 'service:web:1', {
  kind: 'createContainer',
  service: 'web',
  number: 1,
  name: 'shop-web-1',
  replaces: undefined,
  renewVolumes: false,
  build: true,
})
const start = node(2, 'service:web:1', {
  kind: 'startContainer',
  service: 'web',
  number: 1,
  name: 'shop-web-1',
  container: undefined,
})

const bridge = { noun: 'network', name: 'shop_default' } as const
const web = { noun: 'container', name: 'shop-web-1' } as const

const { values, given } = parseGlobals(process.argv.includes('plain') ? ['--progress', 'plain'] : [])
const progress = createProgress(createContext(values, given, () => {}))
const emit = async (event: EngineEvent): Promise<void> => {
  progress.emit(event)
  if (slow) await sleep(60)
}

await emit({ kind: 'planned', plan: { version: 1, project: 'shop', nodes: [network, create, start] } })
await emit({ kind: 'started', node: network, subject: bridge })
await emit({ kind: 'done', node: network, subject: bridge, milliseconds: 12 })
await emit({ kind: 'started', node: create, subject: web })
await emit({ kind: 'warning', code: 'x', message: 'A key has no effect', hint: undefined, path: undefined })
if (fails) {
  await emit({ kind: 'failed', node: create, subject: web, error: new CaissonError('EFAKE', 'no space') })
  await emit({ kind: 'skipped', node: start, subject: web, because: 1, culprit: web })
} else {
  await emit({ kind: 'done', node: create, subject: web, milliseconds: 5 })
  await emit({ kind: 'started', node: start, subject: web })
  await emit({ kind: 'done', node: start, subject: web, milliseconds: 1500 })
}
await progress.close()
console.log('closed')
