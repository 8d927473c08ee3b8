import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { discover } from '../../src/compose/discover.ts'
import { load } from '../../src/compose/load.ts'
import { compileSchema } from './cases.ts'

compileSchema()

const testOf = async (probe: string, environment: Readonly<Record<string, string>> = {}) => {
  const compose = `services: {web: {image: web, x-caisson-probe: ${probe}}}`
  const readFile = (path: string) => (path === '/project/compose.yaml' ? compose : undefined)
  const discovery = discover({ cwd: '/project', environment, readFile })
  const { project, diagnostics } = await load({ ...discovery, services: [], options: {}, cache: undefined, readFile })
  return project?.services.web?.healthcheck?.test ?? diagnostics.map(({ message }) => message)
}

test('a port may be a number, text, or a variable', async () => {
  for (const probe of ['{tcp: 80}', '{tcp: "80"}', '{tcp: "$PORT"}']) {
    assert.equal(await testOf(probe, { PORT: '80' }), { kind: 'tcp', port: 80 }, probe)
  }
})

test('http takes a port, a port with a path, or a map', async () => {
  const ready = { kind: 'http', port: 8080, path: '/ready' }
  assert.equal(await testOf('{http: 8080}'), { kind: 'http', port: 8080, path: '/' })
  for (const probe of ['{http: 8080/ready}', '{http: ":8080/ready"}', '{http: {port: 8080, path: /ready}}']) {
    assert.equal(await testOf(probe), ready, probe)
  }
})

test.run()
