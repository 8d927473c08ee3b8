import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { unsupported } from '../../src/plan/support.ts'
import { testPhase } from './cases.ts'
import { loadTexts } from './memory.ts'

testPhase('models')

test('a service that uses a model is refused by up, with the place', async () => {
  const { project } = await loadTexts({
    'compose.yaml': 'services: {web: {image: web, models: [llm]}}\nmodels: {llm: {model: ai/llm}}',
  })
  assert.ok(project)
  assert.equal(
    unsupported(project, false).map(({ code, path }) => [code, path]),
    [['support/not-yet', ['services', 'web', 'models']]],
  )
})

test.run()
