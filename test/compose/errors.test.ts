/** The examples of docs/errors.md: for each code a folder whose files have one mistake, and what Caisson prints of it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CODES, errorsPage, folderOf, PAGE } from '../../scripts/errors-page.ts'
import type { LoadResult, Project } from '../../src/compose/project.ts'
import { addressConflicts } from '../../src/engine/addresses.ts'
import type { Diagnostic } from '../../src/errors.ts'
import { conditionFindings, missingDependencies } from '../../src/plan/conditions.ts'
import { namespaceConflicts } from '../../src/plan/namespaces.ts'
import { unsupported } from '../../src/plan/support.ts'
import { checkService } from '../../src/spec/check.ts'
import { checkHost } from '../../src/spec/host-checks.ts'
import { facts } from '../spec/inputs.ts'
import { casesOf, compileSchema, diagnosticsText, loadCase } from './cases.ts'

/** Before `up` changes anything, on a machine of which nothing is to be asked. */
const findingsOf = (project: Project): readonly Diagnostic[] => {
  const services = Object.values(project.services)
  const starting = services.map((service) => ({ service, fresh: [{}] }) as never)
  return [
    ...unsupported(project, false),
    ...services.flatMap((service) => [
      ...namespaceConflicts(project, service),
      ...checkHost(service, facts()),
      ...checkService(service, { facts: facts(), devices: {} }),
    ]),
    ...addressConflicts(project, services),
    ...missingDependencies(project, starting),
    ...conditionFindings(project, new Set(Object.keys(project.services)), new Set()),
  ]
}

const judge = (result: LoadResult): LoadResult =>
  result.project === undefined
    ? result
    : { ...result, diagnostics: [...result.diagnostics, ...findingsOf(result.project)] }

compileSchema()
for (const each of casesOf('errors')) {
  test(`the example of ${each.name} has its mistake and no other`, async () => {
    const result = judge(await loadCase(each))
    const path = join(each.directory, 'expected.txt')
    const text = diagnosticsText(result)
    if (process.env.UPDATE) writeFileSync(path, text)
    assert.fixture(text, readFileSync(path, 'utf8'))
    assert.equal(
      result.diagnostics.map(({ code }) => folderOf(code)),
      [each.name],
    )
  })
}

/** What they are about is found on the machine, not in a file. */
const WITHOUT_EXAMPLE = ['plan/image-not-here', 'plan/not-ours', 'plan/volume-changed', 'ECOMMAND', 'EREFUSED', 'EUSER']

test('every code has an example, but those that depend on what is on the machine', () => {
  const missing = CODES.filter((code) => !existsSync(join('fixtures/compose/errors', folderOf(code), 'expected.txt')))
  assert.equal(missing, WITHOUT_EXAMPLE)
})

test('docs/errors.md is what scripts/errors-page.ts makes of the examples', () => {
  const page = errorsPage()
  if (process.env.UPDATE) writeFileSync(PAGE, page)
  assert.fixture(page, readFileSync(PAGE, 'utf8'))
})

test.run()
