import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ListKind } from '../../compose/format.ts'
import type { LoadResult, Project } from '../../compose/project.ts'
import { CaissonError, ProjectError } from '../../errors.ts'
import { type Call, defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { accepted, choice, flag, refused, text } from '../grammar.ts'
import { discoverProject } from '../discovery.ts'
import { loadFiles, reportFindings } from '../load-project.ts'

const options = {
  environment: flag('Print the variables that interpolation uses'),
  format: choice(['yaml', 'json'], 'yaml', 'Form of the output'),
  hash: text('SERVICE[,…]|*', 'Print the hash of the definition of services'),
  images: flag('Print the names of images, one per line'),
  models: accepted(flag('')),
  networks: flag('Print the names of networks, one per line'),
  noConsistency: flag('Do not check that parts of the model fit together'),
  noEnvResolution: flag('Leave env_file as it is'),
  noInterpolate: flag('Leave variables as they are'),
  noNormalize: flag('Do not fill in defaults'),
  noPathResolution: flag('Leave relative paths as they are'),
  output: text('FILE', 'Write to this file', 'o'),
  profiles: flag('Print the names of profiles, one per line'),
  quiet: flag('Check only', 'q'),
  services: flag('Print the names of services, one per line'),
  volumes: flag('Print the names of volumes, one per line'),
  variables: refused(flag(''), 'read them with --environment'),
  resolveImageDigests: refused(flag(''), 'registries cannot be asked yet'),
  lockImageDigests: refused(flag(''), 'registries cannot be asked yet'),
}

type ConfigValues = Call<typeof options>['values']

const LISTS: readonly ListKind[] = ['services', 'volumes', 'networks', 'images', 'profiles']

const projectOf = (result: LoadResult): Project => {
  if (result.project === undefined) throw new ProjectError(result.diagnostics)
  return result.project
}

const formatHashes = async (project: Project, wanted: string): Promise<string> => {
  const { configHash } = await import('../../index.ts')
  const names = wanted === '*' ? Object.keys(project.services).sort() : wanted.split(',')
  const lines = names.map(async (name) => {
    const service = project.services[name]
    if (service === undefined) throw new CaissonError('ENOSERVICE', `no such service: ${name}`)
    return `${name} ${await configHash(service)}\n`
  })
  return (await Promise.all(lines)).join('')
}

const formatEnvironment = (context: Context): string =>
  Object.entries(discoverProject(context).environment)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

const formatResult = async (result: LoadResult, values: ConfigValues): Promise<string> => {
  if (values.hash !== undefined) return formatHashes(projectOf(result), values.hash)
  const format = await import('../../compose/format.ts')
  const kind = LISTS.find((each) => values[each])
  if (kind !== undefined)
    return format
      .listNames(projectOf(result), kind)
      .map((name) => `${name}\n`)
      .join('')
  if (values.models) return ''
  const form = { interpolated: !values.noInterpolate }
  return values.format === 'json'
    ? `${format.formatJson(result.canonical, form)}\n`
    : format.formatYaml(result.canonical, form)
}

/** Lists of names are of the whole project, so `--no-interpolate` does not apply to them. */
const needsModel = (values: ConfigValues): boolean => values.hash !== undefined || LISTS.some((kind) => values[kind])

export const config = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Check the Compose file and print its canonical form',
  options,
  examples: ['caisson config -q', 'caisson config --format json web'],
  run: async (context, { values, positionals: services }) => {
    if (values.environment) {
      context.stdout.write(formatEnvironment(context))
      return 0
    }
    const result = await loadFiles(context, {
      services,
      options: {
        interpolate: !values.noInterpolate || needsModel(values),
        resolvePaths: !values.noPathResolution,
        normalise: !values.noNormalize,
        consistency: !values.noConsistency,
        resolveEnvironment: !values.noEnvResolution,
      },
    })
    reportFindings(context, result, false)
    if (values.quiet) return 0
    const output = await formatResult(result, values)
    if (values.output === undefined) context.stdout.write(output)
    else writeFileSync(resolve(context.cwd, values.output), output)
    return 0
  },
})
