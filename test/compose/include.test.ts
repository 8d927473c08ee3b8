import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testPhase } from './cases.ts'
import { errorsOf, loadTexts, writtenAt } from './memory.ts'

testPhase('include')

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** File 0 includes file 1 by `entry`, that one file 2 … */
const nested = (depth: number, entry: (file: string) => string): Record<string, string> =>
  Object.fromEntries(
    numbers(depth).map((level) => [
      `f${level}.yaml`,
      `include: [${entry(`f${level + 1}.yaml`)}]\nservices: {s${level}: {image: a}}`,
    ]),
  )

const last = { image: 'services: {last: {image: a}}' }

test('a file that others include many times over is read once', async () => {
  const read: string[] = []
  const texts = { ...nested(40, (file) => `${file}, ${file}`), 'f40.yaml': last.image }
  const readFile = (path: string): string | undefined => {
    read.push(path)
    return (texts as Record<string, string>)[path.slice('/project/'.length)]
  }
  const result = await loadTexts(texts, { readFile })
  assert.equal(errorsOf(result), [])
  assert.is(read.filter((path) => path.endsWith('f40.yaml')).length, 1)
  assert.is(Object.keys(result.project?.services ?? {}).length, 41)
})

test('a file that is another project in each directory comes to an end', async () => {
  const twice = (file: string): string => `{path: ${file}, project_directory: a}, {path: ${file}, project_directory: b}`
  const texts = Object.fromEntries(
    Object.entries(nested(30, twice)).map(([name, text]) => [name, text.replaceAll('path: ', 'path: /project/')]),
  )
  const result = await loadTexts({ ...texts, 'f30.yaml': last.image })
  assert.equal(errorsOf(result), ['expansion-limit'])
})

test('a nest of 5,000 files is refused once, at its place', async () => {
  const result = await loadTexts({ ...nested(5_000, (file) => file), 'f5000.yaml': last.image })
  assert.equal(errorsOf(result), ['expansion-limit'])
  assert.is(result.diagnostics[0]?.at?.file, '/project/f1000.yaml')
})

test('what comes from an included file has its place there', async () => {
  const result = await loadTexts({
    'compose.yaml': 'include: [sub/app.yaml]\nservices: {web: {image: web}}',
    'sub/app.yaml': 'services: {app: {image: "app:${TAG}", volumes: ["./data:/data"]}}',
    'sub/.env': 'TAG=1',
  })
  assert.is(writtenAt(result, '/services/app/image'), 'sub/app.yaml: "app:${TAG}"')
  assert.is(writtenAt(result, '/services/app/volumes/0/source'), 'sub/app.yaml: "./data:/data"')
  assert.is(result.variableFiles.get('/project/sub/app.yaml')?.get('TAG'), '/project/sub/.env')
  assert.equal([...result.sources.keys()], ['/project/compose.yaml', '/project/sub/.env', '/project/sub/app.yaml'])
})

test('secrets and configs from variables have the value of the included environment', async () => {
  const { project } = await loadTexts({
    'compose.yaml': 'include: [sub/app.yaml]\nservices: {web: {image: web, secrets: [token], configs: [conf]}}',
    'sub/app.yaml': 'secrets: {token: {environment: TOKEN}}\nconfigs: {conf: {environment: CONF}}',
    'sub/.env': 'TOKEN=inner\nCONF=content',
  })
  assert.equal(
    project?.services.web?.files.map(({ source }) => source.type === 'environment' && source.secretValue),
    ['inner', 'content'],
  )
})

test('a file of another machine on the command line is refused by its name', async () => {
  const result = await loadTexts({}, { files: ['oci://registry.example/app'] })
  assert.equal(errorsOf(result), ['not-supported-yet'])
  assert.match(result.diagnostics[0]?.message ?? '', 'oci://registry.example/app')
})

test.run()
