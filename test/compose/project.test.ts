import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { pointerOf } from '../../src/errors.ts'
import { casesOf, compileSchema, fixtures, loadCase } from './cases.ts'

compileSchema()

const everySection = casesOf('format').find(({ name }) => name === 'every-section')

test('the typed model of a file with every section', async () => {
  assert.ok(everySection)
  const { project } = await loadCase(everySection)
  const file = join(fixtures, 'format/every-section/project.json')
  const output = `${JSON.stringify(project, null, 2)}\n`
  if (process.env.UPDATE || !existsSync(file)) writeFileSync(file, output)
  assert.fixture(output, readFileSync(file, 'utf8'))
})

test('the model is frozen to its last value', async () => {
  assert.ok(everySection)
  const { project } = await loadCase(everySection)
  const check = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    assert.ok(Object.isFrozen(value))
    for (const member of Object.values(value)) check(member)
  }
  assert.ok(project)
  check(project)
})

test('what the model has no field for is handed on, and has a place', async () => {
  assert.ok(everySection)
  const { project, origins } = await loadCase(everySection)
  const others = Object.values(project?.services ?? {}).flatMap((service) => service.others)
  const keys = ['build', 'develop', 'storage_opt']
  for (const key of keys)
    assert.ok(
      others.some((other) => other.key === key),
      key,
    )
  for (const { path } of others) assert.ok(origins.get(pointerOf(path)), path.join('.'))
  assert.not.ok(others.some(({ key }) => key.startsWith('x-') || key.startsWith('ports') || key === 'image'))
})

test.run()
