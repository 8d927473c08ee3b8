/**
 * Writes what the reference implementation says of the cases that have such a file: expected.json, expected.yaml, and what
 * `outputs` of case.json asks for:
 *   [WRAPPER=program] tsx test/compose/regenerate.ts [phase | phase/case …]
 * It runs in a copy of the case, so that paths come out as /project/….
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, casesOf, fixtures, globalFlags, OTHERWISE_IN_YAML, referenceFlags } from './cases.ts'

/** Words before the command, where the reference is not installed here. */
const wrapper = (process.env.WRAPPER ?? '').split(' ').filter((word) => word !== '')

const run = (each: Case, flags: readonly string[]): string => {
  const parent = mkdtempSync(join(tmpdir(), 'caisson-reference-'))
  const directory = join(parent, 'project')
  cpSync(each.directory, directory, { recursive: true })
  const environment = Object.entries({ HOME: '/home/user', ...each.settings.environment }).map(
    ([name, value]) => `${name}=${value}`,
  )
  // As arguments of env: a wrapper need not hand the environment on.
  const place = (flag: string): string => flag.replace(/^\/project(?=\/|$)/, directory)
  const command = ['env', ...environment, 'docker', 'compose', ...globalFlags(each).map(place), 'config', ...flags]
  const [file = 'env', ...args] = [...wrapper, ...command]
  try {
    const cwd = join(directory, (each.settings.cwd ?? '/project').slice('/project'.length))
    const output = execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    // What lies beside the project stands below the root.
    return output.replaceAll(directory, '/project').replaceAll(`${parent}/`, '/')
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

/** Flags of the whole model in one form. */
const modelFlags = ({ settings }: Case, format: string): readonly string[] => [
  '--format',
  format,
  ...(settings.options?.interpolate === false ? ['--no-interpolate'] : []),
  ...(settings.options?.resolvePaths === false ? ['--no-path-resolution'] : []),
  ...(settings.services ?? []),
]

/** Lists that come in another order each time; sorted here, a table below its header. */
const AT_RANDOM = ['--services', '--images', '--models', '--networks', '--volumes', '--variables']

const settle = (text: string, flags: readonly string[]): string => {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd())
  const isList = flags.some((flag) => AT_RANDOM.includes(flag)) && !flags.includes('--format')
  const header = isList && flags.includes('--variables') ? lines.splice(0, 1) : []
  const ordered = [...header, ...(isList ? lines.sort() : lines)].join('\n')
  return ordered === '' ? '' : `${ordered}\n`
}

/** Phases whose cases have both forms: how a key is printed is what they are about. */
const IN_BOTH_FORMS = ['keys']

const isWanted = (phase: string, { name, directory }: Case, format: string): boolean =>
  existsSync(join(directory, `expected.${format}`)) ||
  (IN_BOTH_FORMS.includes(phase) && !OTHERWISE_IN_YAML.includes(name) && existsSync(join(directory, 'expected.json')))

/** File → what makes it. */
const outputsOf = (phase: string, each: Case): ReadonlyMap<string, () => string> => {
  const outputs = new Map<string, () => string>()
  for (const format of ['json', 'yaml'])
    if (isWanted(phase, each, format)) outputs.set(`expected.${format}`, () => run(each, modelFlags(each, format)))
  for (const [file, output] of Object.entries(each.settings.outputs ?? {})) {
    const flags = referenceFlags(output)
    if (flags) outputs.set(file, () => settle(run(each, flags), flags))
    else outputs.delete(file)
  }
  return outputs
}

const regenerate = (phase: string, each: Case): void => {
  for (const [file, output] of outputsOf(phase, each)) {
    try {
      writeFileSync(join(each.directory, file), output())
    } catch (error) {
      const reason = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
      console.error(`${phase}/${each.name}: ${reason}`)
    }
  }
}

const wanted = process.argv.slice(2)
for (const name of wanted.length > 0 ? wanted : readdirSync(fixtures)) {
  const [phase = '', only] = name.split('/')
  for (const each of casesOf(phase)) if (only === undefined || only === each.name) regenerate(phase, each)
}
