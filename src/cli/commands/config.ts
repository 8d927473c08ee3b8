import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ListKind } from '../../compose/format.ts'
import type { LoadResult, Project } from '../../compose/project.ts'
import { CaissonError, ProjectError } from '../../errors.ts'
import { type Call, defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { choice, flag, text } from '../grammar.ts'
import { checkFiles, type LoadRequest, loadFiles, reportFindings } from '../load-project.ts'
import { formatDiagnostic } from '../render/diagnostic.ts'
import { didYouMean } from '../../units/suggest.ts'
import { UsageError } from '../usage.ts'

const options = {
  environment: flag('Print the variables that interpolation uses'),
  format: choice(['yaml', 'json', 'table'], 'yaml', 'Form of the output; table is for --variables'),
  hash: text('SERVICE[,…]|*', 'Print the hash of the definition of services'),
  images: flag('Print the names of images, one per line'),
  models: flag('Print the names of language models, one per line'),
  networks: flag('Print the names of networks, one per line'),
  noConsistency: flag('Do not check that parts of the model fit together'),
  noEnvResolution: flag('Leave env_file as it is'),
  noInterpolate: flag('Leave variables as they are'),
  noNormalize: flag('Do not fill in defaults'),
  noPathResolution: flag('Leave relative paths as they are'),
  origins: flag('Say behind every value where it came from'),
  output: text('FILE', 'Write to this file', 'o'),
  profiles: flag('Print the names of profiles, one per line'),
  quiet: flag('Check only', 'q'),
  schema: flag('Print the JSON Schema of Compose files, for editors'),
  services: flag('Print the names of services, one per line'),
  showSecrets: flag('Print what variables hold that secrets come from'),
  volumes: flag('Print the names of volumes, one per line'),
  variables: flag('Print the variables that the files ask for, with their defaults'),
  resolveImageDigests: flag('Print images with the digests that their tags have now'),
  lockImageDigests: flag('Print an override file that pins every image to its digest, and nothing else'),
}

type ConfigCall = Call<typeof options>
type ConfigValues = ConfigCall['values']

const LISTS: readonly ListKind[] = ['services', 'volumes', 'networks', 'models', 'profiles', 'images']

const projectOf = (result: LoadResult): Project => {
  if (result.project === undefined) throw new ProjectError(result.diagnostics)
  return result.project
}

const unknownService = (name: string, known: readonly string[]): CaissonError => {
  const hint = didYouMean(name, known)
  return new CaissonError('ENOSERVICE', `no such service: ${name}`, hint === undefined ? {} : { hint })
}

const formatHashes = async (project: Project, wanted: string): Promise<string> => {
  const { configHash } = await import('../../index.ts')
  const names = wanted === '*' ? Object.keys(project.services) : wanted.split(',')
  const lines = names.sort().map(async (name) => {
    const service = project.services[name]
    if (service === undefined) throw unknownService(name, Object.keys(project.services))
    return `${name} ${await configHash(service)}\n`
  })
  return (await Promise.all(lines)).join('')
}

/** Whoever deploys this output would deploy asterisks. */
const warnOfMasks = (context: Context, count: number): void => {
  const message =
    count === 1 ? 'One value that holds a secret is masked' : `${count} values that hold secrets are masked`
  const hint = 'give --show-secrets to print what they are'
  context.stderr.write(
    formatDiagnostic(context, { code: 'secrets-masked', severity: 'warning', path: [], message, hint }),
  )
}

type Canonical = LoadResult['canonical']

/** The model with digests, or the digests alone, where that is asked for. Throws ProjectError with all that cannot be had. */
const withDigests = async ({ session }: Context, canonical: Canonical, values: ConfigValues): Promise<Canonical> => {
  if (!values.resolveImageDigests && !values.lockImageDigests) return canonical
  const { lockOf, pinImages, withPinned } = await import('../../compose/digests.ts')
  const { pinned, diagnostics } = await pinImages(canonical, session.resolveDigest)
  if (diagnostics.length > 0) throw new ProjectError(diagnostics)
  return values.lockImageDigests ? lockOf(pinned) : withPinned(canonical, pinned)
}

const masked = async (context: Context, { origins, secretVariables }: LoadResult, canonical: Canonical) => {
  const { maskSecrets } = await import('../../compose/secret-variables.ts')
  const found = maskSecrets({ canonical, origins, secretVariables })
  if (found.count > 0) warnOfMasks(context, found.count)
  return found.canonical
}

const formatModel = async (context: Context, result: LoadResult, values: ConfigValues): Promise<string> => {
  const isJson = values.format === 'json'
  if (values.origins && isJson) return (await import('../origins.ts')).originsDocument(context, result)
  // An override says what it is about: not what JSON shows of keys that nobody wrote.
  const form = { interpolated: !values.noInterpolate && !(values.lockImageDigests && isJson) }
  const format = await import('../../compose/format.ts')
  const whole = await withDigests(context, result.canonical, values)
  const canonical = values.showSecrets ? whole : await masked(context, result, whole)
  if (values.origins) {
    const { provenancesOf } = await import('../origins.ts')
    return format.formatWithOrigins(canonical, provenancesOf(context, result), form)
  }
  return isJson ? `${format.formatJson(canonical, form)}\n` : format.formatYaml(canonical, form)
}

const formatResult = async (context: Context, result: LoadResult, call: ConfigCall): Promise<string> => {
  const { values, given } = call
  const kind = LISTS.find((each) => values[each])
  if (kind !== undefined) {
    const { listNames } = await import('../../compose/format.ts')
    return listNames(projectOf(result), result.canonical, kind)
      .map((name) => `${name}\n`)
      .join('')
  }
  if (values.hash !== undefined) return formatHashes(projectOf(result), values.hash)
  const { formatEnvironment, formatVariables } = await import('../config-variables.ts')
  const shown = { result, showSecrets: values.showSecrets }
  if (values.variables) return formatVariables(shown, given.has('format') ? values.format : 'table')
  if (values.environment) return formatEnvironment(context, shown)
  return formatModel(context, result, values)
}

/** Lists of names and hashes are of the whole project, so `--no-interpolate` does not apply to them. */
const needsProject = (values: ConfigValues): boolean => values.hash !== undefined || LISTS.some((kind) => values[kind])

/** The model itself is asked for. */
const isModel = (values: ConfigValues): boolean => !(needsProject(values) || values.variables || values.environment)

const requestOf = ({ values, positionals: services }: ConfigCall): LoadRequest => ({
  services,
  options: {
    interpolate: needsProject(values) || !(values.noInterpolate || values.variables),
    resolvePaths: !values.noPathResolution,
    normalise: !values.noNormalize,
    consistency: !values.noConsistency,
    resolveEnvironment: !values.noEnvResolution,
  },
})

const writeOutput = (path: string, text: string): void => {
  try {
    writeFileSync(path, text)
  } catch (cause) {
    throw new CaissonError('EWRITE', `cannot write ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}

const checkFormat = ({ values }: ConfigCall): void => {
  if (values.format === 'table' && !values.variables)
    throw new UsageError('--format table is for --variables alone', 'use yaml or json')
}

export const config = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Check the Compose file and print its canonical form',
  details:
    'SERVICE may be a pattern such as "web*". With --format json, what is wrong is JSON too: one object for each mistake, on stderr. Values of variables that secrets ' +
    'come from are masked.',
  options,
  examples: [
    'caisson config -q',
    'caisson config --format json web',
    'caisson config --origins',
    'caisson config --lock-image-digests > compose.lock.yaml',
    'caisson config --schema > compose.schema.json',
  ],
  run: async (context, call) => {
    const { values } = call
    checkFormat(call)
    context.session.isForPrograms ||= values.format === 'json'
    if (values.schema) {
      context.stdout.write((await import('../schema-file.ts')).readSchema())
      return 0
    }
    if (values.quiet && isModel(values)) {
      await checkFiles(context, requestOf(call))
      return 0
    }
    const result = await loadFiles(context, requestOf(call))
    reportFindings(context, result, false)
    const output = await formatResult(context, result, call)
    if (values.output === undefined) context.stdout.write(output)
    else writeOutput(resolve(context.cwd, values.output), output)
    return 0
  },
})
