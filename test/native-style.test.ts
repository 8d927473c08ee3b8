/** Rules of the native code that a machine can check. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { functionsOf } from './helpers/cpp.ts'
import { filesIn, readSource } from './helpers/imports.ts'

const CORE_LINES = 4000
const FUNCTION_LINES = 70

/** Of ours. */
const sources = filesIn('native', '.cc', '.h').filter((file) => !file.startsWith('native/third_party/'))
const isGenerated = (file: string): boolean => /generated/i.test(readSource(file).slice(0, 400))
const core = sources.filter((file) => file.startsWith('native/core/') && !isGenerated(file))

test('the core knows nothing of Node', () => {
  const knowing = sources.filter(
    (file) => !file.startsWith('native/addon/') && /#include\s*[<"](?:napi|node_api)/.test(readSource(file)),
  )
  assert.equal(knowing, [])
})

test(`what is written by hand in the core stays under ${CORE_LINES} lines`, () => {
  const lines = core.reduce((sum, file) => sum + readSource(file).split('\n').length - 1, 0)
  assert.ok(lines < CORE_LINES, `${lines} lines`)
})

test(`no function is longer than ${FUNCTION_LINES} lines`, () => {
  const long = sources.flatMap((file) =>
    functionsOf(readSource(file))
      .filter(({ lines }) => lines > FUNCTION_LINES)
      .map(({ signature, line, lines }) => `${file}:${line}: ${lines} lines: ${signature}`),
  )
  assert.equal(long, [])
})

test('a function is measured from its signature to its closing brace', () => {
  const source = `namespace x {\nstruct S {\n  int f(int a) const {\n    if (a) { return 1; }\n    return 0;\n  }\n};\nResult<void>\ng(std::vector<int> v)\n{\n  auto h = [] { return 1; };\n}\n}\n`
  assert.equal(
    functionsOf(source).map(({ signature, line, lines }) => [signature, line, lines]),
    [
      ['int f(int a) const', 3, 4],
      ['Result<void>', 8, 5],
    ],
  )
})

test.run()
