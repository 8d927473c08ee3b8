/** What is said about files of variables ends up in logs of CI, where anybody reads it: of values there is nothing in it. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findingDocument } from '../../src/cli/render/finding.ts'
import { discover } from '../../src/compose/discover.ts'
import { parseDotenv } from '../../src/compose/dotenv.ts'
import { parseRawEnvironment } from '../../src/compose/dotenv-raw.ts'
import { reportDotenv } from '../../src/compose/dotenv-report.ts'
import { formatDiagnostic } from '../../src/compose/frame.ts'
import { load } from '../../src/compose/load.ts'
import { Report } from '../../src/compose/report.ts'
import { compileSchema } from './cases.ts'

compileSchema()

const SECRET = 'hQ7/xK2+vR9 zP4=mT6:wL8'
/** Whoever knows so much of a password guesses the rest. */
const PARTS = ['hQ7', 'xK2', 'vR9', 'zP4', 'mT6', 'wL8']

const said = async (files: Readonly<Record<string, string>>): Promise<{ texts: string[]; codes: string[] }> => {
  const readFile = (path: string): string | undefined => files[path.replace('/project/', '')]
  const discovery = discover({ cwd: '/project', environment: {}, readFile })
  const result = await load({ ...discovery, readFile })
  const sources = new Map([...discovery.sources, ...result.sources])
  const shown = { ...result, sources, hidden: new Set([...discovery.envFiles, ...result.hidden]) }
  const all = [...discovery.diagnostics, ...result.diagnostics]
  return {
    texts: all.flatMap((each) => [formatDiagnostic(each, shown), JSON.stringify(findingDocument(each, shown))]),
    codes: all.map(({ code }) => code),
  }
}

const COMPOSE = 'services:\n  web:\n    image: nginx\n    environment: {PASSWORD: }\n'

/** How a file of variables gets into a project. */
const WAYS: Readonly<Record<string, (text: string) => Readonly<Record<string, string>>>> = {
  '.env': (text) => ({ 'compose.yaml': COMPOSE, '.env': text }),
  env_file: (text) => ({ 'compose.yaml': `${COMPOSE}    env_file: a.env\n`, 'a.env': text }),
  'a raw env_file': (text) => ({
    'compose.yaml': `${COMPOSE}    env_file: [{path: a.env, format: raw}]\n`,
    'a.env': text,
  }),
  label_file: (text) => ({ 'compose.yaml': `${COMPOSE}    label_file: a.env\n`, 'a.env': text }),
  'env_file of include': (text) => ({
    'compose.yaml': 'include: [{path: b.yaml, env_file: a.env}]\n',
    'b.yaml': COMPOSE,
    'a.env': text,
  }),
}

/** Each with the secret in every line that has a value. */
const TEXTS: Readonly<Record<string, string>> = {
  'a neighbour above': `PASSWORD='${SECRET}'\nA B=1\n`,
  'a neighbour below': `A B=1\nPASSWORD='${SECRET}'\n`,
  'the value of a name with a space': `MY PASSWORD=${SECRET}\n`,
  'a name that has a wrong character': `PASS!WORD=${SECRET}\n`,
  'a double quote that is not closed': `PASSWORD="${SECRET}\n`,
  'a single quote that is not closed': `PASSWORD='${SECRET}\nA=1\nB C=1\n`,
  'a quote that is closed lines below': `PASSWORD="${SECRET}\nOTHER="${SECRET}"\n`,
  'a brace in a password': `PASSWORD=${SECRET}\${${SECRET}\n`,
  'a variable that is none': `PASSWORD=\${${SECRET}}\n`,
  'a dollar sign in a password': `PASSWORD=$${SECRET}\n`,
  'a dollar sign in a quoted password': `PASSWORD="\\t${SECRET}$${SECRET}"\n`,
  'a variable in braces that is not set': `PASSWORD=${SECRET}\${NONE}${SECRET}\n`,
  'a variable that is needed': `PASSWORD=${SECRET}\${NONE:?why}${SECRET}\n`,
  'a default that is wrong': `PASSWORD=\${NONE:-${SECRET}\${}\n`,
  'the next line of a value without quotes': `PASSWORD=${SECRET}\n${SECRET}\n`,
  'a pass phrase of several words': `PASSWORD=\n${PARTS.join(' ')}\n`,
  'a line that looks like a name of several words': `PASSWORD=\nhQ7 xK2=\n`,
  'a key of several lines without quotes': `KEY=-----BEGIN KEY-----\n${PARTS.join('/')}==\n-----END KEY-----\n`,
  'a value of one line of an old Mac': `A B=1\rPASSWORD=${SECRET}\r`,
  'a very long line': `A B=1 ${'x'.repeat(500)}${SECRET}\n`,
}

/** In these the raw format has nothing to complain about, for it takes values as they stand. */
const isRight = (way: string, codes: readonly string[]): boolean => way === 'a raw env_file' && codes.length === 0

for (const [way, files] of Object.entries(WAYS)) {
  for (const [what, text] of Object.entries(TEXTS)) {
    test(`nothing of a secret is shown: ${what}, in ${way}`, async () => {
      const { texts, codes } = await said(files(text))
      assert.ok(isRight(way, codes) || codes.some((code) => ['env-file-syntax', 'variable-unset'].includes(code)))
      for (const line of texts) for (const part of PARTS) assert.not.match(line, part)
    })
  }
}

test('a mistake elsewhere whose value comes from a file of variables does not show its lines', async () => {
  const files = { 'compose.yaml': COMPOSE, '.env': `PASSWORD=${SECRET}\nA B=1\nC="\n` }
  const { codes } = await said(files)
  assert.equal(codes, ['env-file-syntax', 'env-file-syntax'])
})

test('mistakes of .env do not keep those of the Compose files from being told, and bring no others', async () => {
  const services = '  web:\n    image: $IMAGE\n    user: ${OWNER:?needed}\n    prots: []\n    hostname: ${NONE}\n'
  const { codes } = await said({ 'compose.yaml': `services:\n${services}`, '.env': 'IMAGE="${"\nOWNER="\n' })
  assert.equal(codes, ['env-file-syntax', 'env-file-syntax', 'key-unknown', 'variable-unset'])
})

test('a mistake of one env file is not told again by those that use its variable', async () => {
  const files = {
    'compose.yaml': `${COMPOSE}    env_file: [a.env, b.env]\n`,
    'a.env': 'A=${\n',
    'b.env': 'B=$A\nC=${A:?}\nD E=1\n',
  }
  assert.equal((await said(files)).codes, ['env-file-syntax', 'env-file-syntax'])
})

test('a mistake in the .env of an included file is told once', async () => {
  const files = {
    'compose.yaml': 'include: [sub/b.yaml]\n',
    'sub/b.yaml': 'services:\n  web:\n    image: $A\n    user: ${A:?}\n    hostname: ${NONE}\n',
    'sub/.env': 'A=${\n',
  }
  assert.equal((await said(files)).codes, ['env-file-syntax', 'variable-unset'])
})

const secret = fc.constantFrom(SECRET, ...PARTS, PARTS.join(' '), PARTS.join('$'), PARTS.join('${'), PARTS.join('"'))
const start = fc.constantFrom(
  'PASSWORD=',
  'PASSWORD="',
  "PASSWORD='",
  'export A: ',
  'A B=',
  'A!=',
  'A="x\\',
  '',
  '${',
  '$',
  '#',
)
const end = fc.constantFrom('', '"', "'", ' # x', '}', '${NONE}', '\\', '"x', '\r', '=')
const line = fc.tuple(start, secret, end).map((parts) => parts.join(''))

test('nothing of a secret is shown, whatever lines a file is made of', () => {
  let found = 0
  const check = (lines: readonly string[]): void => {
    const text = lines.join('\n')
    const sources = new Map([['/a.env', text]])
    const shown = { origins: new Map(), sources, hidden: new Set(['/a.env']) }
    for (const parse of [parseDotenv, parseRawEnvironment]) {
      const report = new Report(sources)
      reportDotenv(
        parse(text, () => undefined),
        '/a.env',
        [],
        report,
      )
      found += report.diagnostics.length
      const said = report.diagnostics.map((each) => formatDiagnostic(each, shown)).join('\n')
      // What stands in braces is a name.
      const named = said.replaceAll(/variable \w+ is not|\$\{\w+/g, '')
      for (const part of PARTS) assert.not.match(named, part)
    }
  }
  fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), check), { numRuns: 500 })
  assert.ok(found > 500)
})

test.run()
