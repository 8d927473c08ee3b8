/**
 * A case is a folder below fixtures/compose/<phase>/: Compose files and what they need, `case.json` for anything that is not
 * default, and what has to come out: `expected.json` and `expected.yaml` (of the reference implementation, made by
 * regenerate.ts), `differs.json` (ours, where the reference has another answer: a row of docs/compose-differences.md) or
 * `expected.txt` (diagnostics as a user sees them). To the loader the folder is /project.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeText } from '../../src/cli/files.ts'
import { discover } from '../../src/compose/discover.ts'
import { formatJson, formatYaml } from '../../src/compose/format.ts'
import { formatDiagnostic } from '../../src/compose/frame.ts'
import type { LoadOptions, TreeCache } from '../../src/compose/load.ts'
import { load } from '../../src/compose/load.ts'
import type { LoadResult } from '../../src/compose/project.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const fixtures = join(root, 'fixtures/compose')

/** What stands in a case.json. */
export interface CaseSettings {
  readonly files?: readonly string[]
  readonly profiles?: readonly string[]
  readonly services?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly projectName?: string
  readonly cwd?: string
  readonly projectDirectory?: string
  readonly envFiles?: readonly string[]
  readonly options?: LoadOptions
  /** Files of expected output of `config`, with the flags that give it (test/cli/config.test.ts). */
  readonly outputs?: Readonly<Record<string, CaseOutput>>
}

/** Flags of the reference and of Caisson alike; or one's own, where the other has no such output. */
export type CaseOutput = readonly string[] | { readonly reference?: readonly string[]; readonly own: readonly string[] }

const isList = (output: CaseOutput): output is readonly string[] => Array.isArray(output)

export const ownFlags = (output: CaseOutput): readonly string[] => (isList(output) ? output : output.own)

/** undefined: the output is Caisson's alone. */
export const referenceFlags = (output: CaseOutput): readonly string[] | undefined =>
  isList(output) ? output : output.reference

export interface Case {
  readonly name: string
  readonly directory: string
  readonly settings: CaseSettings
}

/** What stands before the command. */
export const globalFlags = ({ settings }: Case): readonly string[] => [
  ...(settings.files ?? []).flatMap((file) => ['-f', file]),
  ...(settings.profiles ?? []).flatMap((profile) => ['--profile', profile]),
  ...(settings.envFiles ?? []).flatMap((file) => ['--env-file', file]),
  ...(settings.projectName ? ['-p', settings.projectName] : []),
  ...(settings.projectDirectory ? ['--project-directory', settings.projectDirectory] : []),
]

/** The generated validator has to be there before the first load. */
export const compileSchema = (): void => {
  execFileSync(process.execPath, ['--import', 'tsx', join(root, 'scripts/compile-schema.ts')], {
    cwd: root,
    stdio: 'inherit',
  })
}

export const casesOf = (phase: string): readonly Case[] =>
  readdirSync(join(fixtures, phase))
    .sort()
    .map((name) => {
      const directory = join(fixtures, phase, name)
      const settings = join(directory, 'case.json')
      return {
        name,
        directory,
        settings: existsSync(settings) ? (JSON.parse(readFileSync(settings, 'utf8')) as CaseSettings) : {},
      }
    })

/** Cases of `keys` of which the reference has the JSON alone: rows of docs/compose-differences.md that are about YAML. */
export const OTHERWISE_IN_YAML = ['cpus-of-millions']

/** Files below /project are those of the case; there are no others. */
export const readerOf =
  ({ directory }: Case) =>
  (path: string): string | undefined => {
    if (!path.startsWith('/project/')) return undefined
    const file = join(directory, path.slice('/project/'.length))
    return existsSync(file) && statSync(file).isFile() ? decodeText(readFileSync(file)) : undefined
  }

export const discoverCase = (each: Case) =>
  discover({
    cwd: '/project',
    ...each.settings,
    environment: { HOME: '/home/user', ...each.settings.environment },
    readFile: readerOf(each),
  })

export const loadCase = async (each: Case, cache?: TreeCache): Promise<LoadResult> => {
  const discovery = discoverCase(each)
  const { services = [], options = {} } = each.settings
  const result = await load({ ...discovery, services, options, cache, readFile: readerOf(each) })
  return {
    ...result,
    diagnostics: [...discovery.diagnostics, ...result.diagnostics],
    hidden: new Set([...discovery.envFiles, ...result.hidden]),
    sources: new Map([...discovery.sources, ...result.sources]),
  }
}

export const diagnosticsText = (result: LoadResult): string =>
  result.diagnostics
    .map((diagnostic) => formatDiagnostic(diagnostic, result, { name: (file) => file.replace('/project/', '') }))
    .map((text) => `${text}\n`)
    .join('\n')

const OUTPUTS: Readonly<Record<string, (result: LoadResult, each: Case) => string>> = {
  'expected.json': (result, each) =>
    formatJson(result.canonical, { interpolated: each.settings.options?.interpolate ?? true }),
  'expected.yaml': (result, each) =>
    formatYaml(result.canonical, { interpolated: each.settings.options?.interpolate ?? true }),
  'differs.json': (result) => formatJson(result.canonical, { interpolated: true }),
  'expected.txt': diagnosticsText,
}
/** What UPDATE=1 rewrites. */
const OURS = ['differs.json', 'expected.txt']

/** One test for each case of a phase. UPDATE=1 rewrites the texts that are ours (never the reference's). */
export const testPhase = (phase: string): void => {
  compileSchema()
  for (const each of casesOf(phase)) {
    test(`${phase}: ${each.name.replaceAll('-', ' ')}`, async () => {
      const result = await loadCase(each)
      const found = Object.keys(OUTPUTS).filter((file) => existsSync(join(each.directory, file)))
      if (process.env.UPDATE && found.length === 0)
        writeFileSync(join(each.directory, 'expected.txt'), diagnosticsText(result))
      else assert.ok(found.length > 0, 'the case expects nothing')
      for (const file of found) {
        const output = OUTPUTS[file]?.(result, each) ?? ''
        const path = join(each.directory, file)
        if (process.env.UPDATE && OURS.includes(file)) writeFileSync(path, output)
        assert.fixture(output, readFileSync(path, 'utf8'), file)
      }
      const isQuiet = !found.includes('expected.txt')
      if (isQuiet)
        assert.equal(
          result.diagnostics
            .filter((diagnostic) => diagnostic.severity === 'error')
            .map((diagnostic) => diagnostic.message),
          [],
        )
    })
  }
}
