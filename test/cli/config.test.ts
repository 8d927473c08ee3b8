/**
 * `caisson config` as a user calls it, on the folders below fixtures/compose/config. `case.json` says under `outputs` which file
 * holds the output of which flags: the reference's (regenerate.ts), or ours where only Caisson has the flag (`own`).
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse as parseYaml } from 'yaml'
import { findCommand, interpret, parseGlobals } from '../../src/cli/command-line.ts'
import type { Context, Output } from '../../src/cli/context.ts'
import { CaissonError } from '../../src/errors.ts'
import { reportError } from '../../src/cli/render/error.ts'
import { styleFor } from '../../src/cli/render/style.ts'
import findingSchema from '../../schemas/finding.schema.json' with { type: 'json' }
import originsSchema from '../../schemas/origins.schema.json' with { type: 'json' }
import { type Case, casesOf, compileSchema, globalFlags, ownFlags, readerOf } from '../compose/cases.ts'

class Sink implements Output {
  text = ''
  readonly isTTY = false
  readonly columns = 0
  readonly style = styleFor({ ansi: 'never', env: {}, isTTY: false })
  write(data: string | Uint8Array): void {
    this.text += typeof data === 'string' ? data : Buffer.from(data).toString()
  }
  async drained(): Promise<void> {}
}

const contextOf = (each: Case, words: readonly string[]) => {
  const { values: globals, given } = parseGlobals([...globalFlags(each), ...words, 'config'])
  const resolveDigest = async (reference: string): Promise<string | undefined> => {
    if (reference.includes('/here:')) return undefined
    if (reference.includes('/missing:'))
      throw new CaissonError('ENOTFOUND', `${reference} is not there`, { hint: 'look' })
    return `sha256:${createHash('sha256').update(reference).digest('hex')}`
  }
  const session = {
    resolveDigest,
    readFile: readerOf(each),
    discovery: undefined,
    loaded: undefined,
    isForPrograms: false,
  }
  return {
    env: { HOME: '/home/user', ...each.settings.environment },
    cwd: each.settings.cwd ?? '/project',
    ...{ globals, given, session, stdout: new Sink(), stderr: new Sink() },
  } satisfies Context
}

const runConfig = async (each: Case, flags: readonly string[], before: readonly string[] = []) => {
  const context = contextOf(each, before)
  const { command, call } = await interpret(findCommand(['config', ...flags]))
  let code: number
  try {
    code = await command.run(context, call)
  } catch (error) {
    code = reportError(context, error)
  }
  return { code, stdout: context.stdout.text, stderr: context.stderr.text }
}

compileSchema()
const cases = casesOf('config')

for (const each of cases) {
  for (const [file, output] of Object.entries(each.settings.outputs ?? {})) {
    const flags = ownFlags(output)
    test(`config ${each.name.replaceAll('-', ' ')}: ${flags.join(' ') || 'no flags'}`, async () => {
      const { code, stdout, stderr } = await runConfig(each, flags)
      const text = code === 0 ? stdout : stderr
      const path = join(each.directory, file)
      if (process.env.UPDATE && 'own' in output && !('reference' in output)) writeFileSync(path, text)
      assert.ok(existsSync(path), 'the expected output is not there')
      assert.fixture(text, readFileSync(path, 'utf8'), file)
    })
  }
}

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })

const named = (name: string): Case => {
  const found = cases.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no case ${name}`)
  return found
}

test('what is wrong is one object a line, as its schema says, and nothing is printed', async () => {
  const validate = ajv.compile(findingSchema)
  for (const name of ['mistakes-for-programs', 'broken-yaml-for-programs', 'errors-of-the-command']) {
    const { code, stdout, stderr } = await runConfig(named(name), ['--format', 'json', 'wbe'])
    const findings = stderr.trimEnd().split('\n')
    assert.equal([code, stdout], [3, ''])
    assert.ok(findings.length > 0)
    for (const line of findings) assert.ok(validate(JSON.parse(line)), `${line}: ${ajv.errorsText(validate.errors)}`)
  }
})

test('progress as JSON makes findings JSON too, by flag and by environment', async () => {
  const each = named('mistakes-for-programs')
  const expected = (await runConfig(each, ['--format', 'json'])).stderr
  assert.is((await runConfig(each, [], ['--progress', 'json'])).stderr, expected)
  const asked = { ...each, settings: { ...each.settings, environment: { COMPOSE_PROGRESS: 'json' } } }
  assert.is((await runConfig(asked, [])).stderr, expected)
})

test('an end of a finding is behind its last character', async () => {
  const { stderr } = await runConfig(named('mistakes-for-programs'), ['--format', 'json'])
  const source = readFileSync(join(named('mistakes-for-programs').directory, 'compose.yaml'), 'utf8').split('\n')
  const marked = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { line: number; endLine: number; column: number; endColumn: number })
    .map(({ line, column, endColumn }) => source[line - 1]?.slice(column - 1, endColumn - 1))
  assert.equal(marked, ['${TAG}', '"80:80:80:80:80"', 'restrat', 'cache', 'much'])
})

test('origins as JSON are as their schema says, and there is one for every value', async () => {
  const validate = ajv.compile(originsSchema)
  const each = named('origins-of-two-files')
  const origins = JSON.parse((await runConfig(each, ['--origins', '--format', 'json'])).stdout) as object
  assert.ok(validate(origins), ajv.errorsText(validate.errors))
  const model = JSON.parse((await runConfig(each, ['--format', 'json'])).stdout) as unknown
  const pointers = (value: unknown, pointer: string): readonly string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, member]) => pointers(member, `${pointer}/${key.replaceAll('/', '~1')}`))
      : [pointer]
  // JSON has null for commands that nobody wrote.
  const silent = pointers(model, '').filter((pointer) => !(pointer in origins))
  assert.equal(
    silent.filter((pointer) => !/\/(command|entrypoint)$/.test(pointer)),
    [],
  )
})

test('comments change nothing of what the YAML means', async () => {
  for (const each of cases.filter(({ name }) => name.startsWith('origins-') || name === 'secrets')) {
    const commented = (await runConfig(each, ['--origins'])).stdout
    assert.equal(parseYaml(commented), parseYaml((await runConfig(each, [])).stdout), each.name)
    assert.match(commented, / # /)
  }
})

test('a name that no file gives says who gave it', async () => {
  const each = named('secrets-in-mistakes')
  const nameOf = async (environment: Record<string, string>, before: readonly string[] = []) => {
    const { stdout } = await runConfig(
      { ...each, settings: { environment } },
      ['--origins', '--no-interpolate'],
      before,
    )
    return stdout.split('\n').find((line) => line.startsWith('name:'))
  }
  assert.is(await nameOf({}), 'name: project # default')
  assert.is(await nameOf({ COMPOSE_PROJECT_NAME: 'x' }), 'name: x # COMPOSE_PROJECT_NAME from the shell')
  assert.is(await nameOf({ COMPOSE_PROJECT_NAME: 'x' }, ['-p', 'shop']), 'name: shop # --project-name')
})

test('a secret is printed by no flag but the one that says so', async () => {
  const flags = ['', '--format json', '--origins', '--origins --format json', '--environment', '--variables']
  for (const words of flags) {
    const { stdout, stderr } = await runConfig(named('secrets'), words.split(' ').filter(Boolean))
    assert.not.match(stdout + stderr, /s3cret/, words)
    assert.ok(stdout !== '')
  }
  assert.match((await runConfig(named('secrets'), ['--show-secrets'])).stdout, /s3cret/)
})

test('masks are told, so that nobody deploys them', async () => {
  const stderrOf = async (...flags: string[]) => (await runConfig(named('secrets'), flags)).stderr
  assert.match(
    await stderrOf(),
    /^warning: 8 values that hold secrets are masked \[secrets-masked\]\n {2}give --show-secrets/,
  )
  assert.is(await stderrOf('--show-secrets'), '')
  assert.is(await stderrOf('-q'), '')
})

test('quiet checks only, and lists are lists all the same', async () => {
  const each = named('lists')
  assert.equal(await runConfig(each, ['-q']), { code: 0, stdout: '', stderr: '' })
  assert.match((await runConfig(each, ['-q', '--services'])).stdout, /^db$/m)
})

test('the schema is the one that the package has, also where there is no Compose file', async () => {
  const file = new URL('../../schemas/compose.schema.json', import.meta.url)
  const { code, stdout } = await runConfig({ ...named('lists'), directory: '/nowhere' }, ['--schema'])
  assert.equal([code, stdout], [0, readFileSync(file, 'utf8')])
})

test.run()
