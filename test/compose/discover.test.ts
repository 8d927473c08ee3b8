import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { casesOf, discoverCase } from './cases.ts'

for (const each of casesOf('discover')) {
  test(`discover: ${each.name.replaceAll('-', ' ')}`, () => {
    const { sources, environment, diagnostics, variableFiles, wrongVariables: wrong, ...rest } = discoverCase(each)
    const { HOME: _, ...variables } = environment
    const findings = diagnostics.map(({ severity, code, message }) => `${severity} ${code}: ${message}`)
    const wrongVariables = wrong.size === 0 ? undefined : [...wrong]
    const output = `${JSON.stringify({ ...rest, environment: variables, wrongVariables, findings }, null, 2)}\n`
    const file = join(each.directory, 'expected.out')
    if (process.env.UPDATE) writeFileSync(file, output)
    assert.ok(existsSync(file))
    assert.fixture(output, readFileSync(file, 'utf8'))
  })
}

test.run()
