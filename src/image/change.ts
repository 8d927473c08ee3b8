/** `image import --change`: Dockerfile instructions that only touch an image's configuration. Throws ECHANGE. */
import { CaissonError } from '../errors.ts'
import { parseDuration } from '../units/duration.ts'

/** `config` of an image configuration, as it is written: names of Docker and OCI. */
export interface ConfigurationFields {
  readonly User?: string
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly WorkingDir?: string
  readonly StopSignal?: string
  readonly Volumes?: Readonly<Record<string, object>>
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Labels?: Readonly<Record<string, string>>
  readonly Healthcheck?: object
  readonly Shell?: readonly string[]
}

const refuse = (text: string, why: string): never => {
  throw new CaissonError('ECHANGE', `--change '${text}' ${why}`, {
    hint: `known: ${Object.keys(INSTRUCTIONS).join(', ')}`,
  })
}

/** Words as a shell splits them: quotes and backslashes, nothing else. */
const words = (text: string): readonly string[] =>
  (text.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? []).map((word) =>
    word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? '') : double.replaceAll(/\\(.)/g, '$1'),
    ),
  )

/** `["a", "b"]`; undefined: the shell form. */
const jsonList = (text: string): readonly string[] | undefined => {
  if (!text.startsWith('[')) return undefined
  try {
    const list = JSON.parse(text) as unknown
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined
  } catch {
    return undefined
  }
}

const command = (text: string, { Shell = ['/bin/sh', '-c'] }: ConfigurationFields): readonly string[] =>
  jsonList(text) ?? [...Shell, text]

/** Only the JSON form, as in a Dockerfile. */
const shell = (text: string): readonly string[] => jsonList(text) ?? refuse(text, 'is no JSON list of words')

/** `a=1 b="2 3"`, or `a 2 3` as it was written before. */
const pairs = (text: string): readonly (readonly [key: string, value: string])[] => {
  const [first = '', ...rest] = words(text)
  if (!first.includes('='))
    return first === '' || rest.length === 0 ? refuse(text, 'is not KEY=VALUE') : [[first, rest.join(' ')]]
  return [first, ...rest].map((word) => {
    const equals = word.indexOf('=')
    return equals < 1 ? refuse(text, 'is not KEY=VALUE') : [word.slice(0, equals), word.slice(equals + 1)]
  })
}

const setVariables = (before: readonly string[] = [], text: string): readonly string[] => {
  const variables = new Map(before.map((line) => [line.slice(0, line.indexOf('=')), line]))
  for (const [key, value] of pairs(text)) variables.set(key, `${key}=${value}`)
  return [...variables.values()]
}

const keys = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]))

const port = (text: string): string => {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text.toLowerCase())
  return match === null ? refuse(text, 'is not a port') : `${match[1]}/${match[2] ?? 'tcp'}`
}

const CHECK_OPTIONS: Readonly<Record<string, string>> = {
  ...{ interval: 'Interval', timeout: 'Timeout', 'start-period': 'StartPeriod', 'start-interval': 'StartInterval' },
  retries: 'Retries',
}

/** Nanoseconds, or a number of times. */
const amount = (text: string, name: string, value: string): number => {
  const number = name !== 'retries' ? parseDuration(value) : /^\d{1,9}$/.test(value) ? Number(value) : undefined
  return number ?? refuse(text, `has the wrong value '${value}' of --${name}`)
}

const healthcheck = (text: string): object => {
  if (/^none$/i.test(text)) return { Test: ['NONE'] }
  const match = /^((?:--[a-z-]+=\S+\s+)*)CMD\s+(.+)$/is.exec(text)
  if (match === null) return refuse(text, 'is neither NONE nor CMD')
  const [, options = '', test = ''] = match
  const fields = options
    .split(/\s+/)
    .filter(Boolean)
    .map((option) => {
      const [name = '', value = ''] = option.slice(2).split('=')
      const field = CHECK_OPTIONS[name] ?? refuse(text, `has the unknown option --${name}`)
      return [field, amount(text, name, value)] as const
    })
  const list = jsonList(test)
  return { Test: list === undefined ? ['CMD-SHELL', test] : ['CMD', ...list], ...Object.fromEntries(fields) }
}

const INSTRUCTIONS: Readonly<Record<string, (text: string, before: ConfigurationFields) => ConfigurationFields>> = {
  CMD: (text, before) => ({ Cmd: command(text, before) }),
  ENTRYPOINT: (text, before) => ({ Entrypoint: command(text, before) }),
  ENV: (text, { Env }) => ({ Env: setVariables(Env, text) }),
  EXPOSE: (text, { ExposedPorts }) => ({ ExposedPorts: { ...ExposedPorts, ...keys(words(text).map(port)) } }),
  LABEL: (text, { Labels }) => ({ Labels: { ...Labels, ...Object.fromEntries(pairs(text)) } }),
  USER: (text) => ({ User: text }),
  VOLUME: (text, { Volumes }) => ({ Volumes: { ...Volumes, ...keys(jsonList(text) ?? words(text)) } }),
  WORKDIR: (text) => ({ WorkingDir: text.startsWith('/') ? text : `/${text}` }),
  SHELL: (text) => ({ Shell: shell(text) }),
  STOPSIGNAL: (text) => ({ StopSignal: text }),
  HEALTHCHECK: (text) => ({ Healthcheck: healthcheck(text) }),
}

/** The configuration with `changes` made, in their order. */
export const applyChanges = (config: ConfigurationFields, changes: readonly string[]): ConfigurationFields => {
  let changed = config
  for (const change of changes) {
    const [, name = '', rest = ''] = /^\s*(\w+)\s+(.*?)\s*$/s.exec(change) ?? []
    const instruction = INSTRUCTIONS[name.toUpperCase()]
    if (instruction === undefined || rest === '') return refuse(change, 'is no instruction that an import can take')
    changed = { ...changed, ...instruction(rest, changed) }
  }
  return changed
}
