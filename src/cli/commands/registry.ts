import type { Found, SearchFilter } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { flag, integer, list, readBoolean, text } from '../grammar.ts'
import { openWriter } from '../open-writer.ts'
import { ask } from '../prompt.ts'
import { formatListing } from '../render/template.ts'
import { EXIT, refuseDryRun, UsageError } from '../usage.ts'

const MAX_PASSWORD = 1 << 20

const readAll = async (): Promise<string> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    size += part.length
    if (size > MAX_PASSWORD) throw new UsageError('what comes through stdin is too long for a password')
    parts.push(part)
  }
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

interface Given {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly passwordStdin: boolean
}

/** undefined: Ctrl-C. */
const passwordOf = async (context: Context, { password, passwordStdin }: Given): Promise<string | undefined> => {
  if (password !== undefined) {
    context.stderr.write('warning: --password shows to everybody who lists processes; --password-stdin does not\n')
    return password
  }
  return passwordStdin ? readAll() : ask(context, 'Password: ', true)
}

const check = ({ username, password, passwordStdin }: Given): void => {
  if (passwordStdin && password !== undefined)
    throw new UsageError('--password and --password-stdin exclude each other')
  if (passwordStdin && username === undefined) throw new UsageError('--password-stdin needs --username')
  if (!process.stdin.isTTY && !passwordStdin && (username === undefined || password === undefined))
    throw new UsageError('there is no terminal to ask at', 'give --username and --password-stdin')
}

const nonEmpty = (value: string, what: string): void => {
  if (value === '') throw new UsageError(`the ${what} is empty`)
}

export const registryLogin = defineCommand({
  usage: '[HOST]',
  summary: 'Log in to a registry, Docker Hub by default',
  details:
    'Tries the credentials, then keeps them where Docker has them: with a credential helper, or in ~/.docker/config.json (DOCKER_CONFIG, REGISTRY_AUTH_FILE).',
  arity: [0, 1],
  options: {
    username: text('NAME', 'User name', 'u'),
    password: text('PASSWORD', 'Password or access token; others can see it', 'p'),
    passwordStdin: flag('Read the password from stdin'),
  },
  examples: ['caisson registry login', 'caisson registry login -u jo --password-stdin registry.example < token'],
  run: async (context, { values, positionals: [host = ''] }) => {
    refuseDryRun('registry login', values.dryRun)
    check(values)
    const username = values.username ?? (await ask(context, 'Username: ', false))
    if (username === undefined) return EXIT.interrupted
    nonEmpty(username, 'user name')
    const password = await passwordOf(context, values)
    if (password === undefined) return EXIT.interrupted
    nonEmpty(password, 'password')
    await openWriter(context).login({ host, username, password })
    context.stdout.write('Login Succeeded\n')
    return 0
  },
})

export const registryLogout = defineCommand({
  usage: '[HOST]',
  summary: 'Forget the credentials for a registry, Docker Hub by default',
  arity: [0, 1],
  options: {},
  run: async (context, { values, positionals: [host = ''] }) => {
    refuseDryRun('registry logout', values.dryRun)
    const name = host === '' ? 'docker.io' : host
    const { isChanged, left } = await openWriter(context).logout(host)
    context.stdout.write(isChanged ? `Removed the credentials for ${name}\n` : `Not logged in to ${name}\n`)
    if (left !== undefined) context.stderr.write(`warning: ${left} has credentials for ${name}, too\n`)
    return 0
  },
})

const filterOf = (word: string): SearchFilter => {
  const [, key, value = ''] = /^([^=]+)=(.*)$/.exec(word) ?? []
  if (key === 'stars' && /^\d{1,9}$/.test(value)) return { kind: 'stars', least: Number(value) }
  const is = key === 'is-official' ? readBoolean(value) : undefined
  if (is === undefined) throw new UsageError(`--filter is stars=N or is-official=true|false, not "${word}"`)
  return { kind: 'official', is }
}

/** `registry.example/nginx`: what has a dot or a port in front is asked there. */
const targetOf = (term: string): { readonly host: string; readonly term: string } => {
  const slash = term.indexOf('/')
  const first = slash < 0 ? '' : term.slice(0, slash)
  const isHost = /[.:]/.test(first) || first === 'localhost'
  return isHost ? { host: first, term: term.slice(slash + 1) } : { host: '', term }
}

const WIDTH = 45

const rowOf = ({ name, description, stars, isOfficial }: Found, isWhole: boolean) => {
  const letters = [...description]
  const short = isWhole || letters.length <= WIDTH ? description : `${letters.slice(0, WIDTH - 1).join('')}…`
  return { Name: name, Description: short, StarCount: stars, IsOfficial: isOfficial ? '[OK]' : '' }
}

const COLUMNS = { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' }
const MAX_LIMIT = 100

export const registrySearch = defineCommand({
  usage: 'TERM',
  summary: 'Look for images, on Docker Hub or, as HOST/TERM, in another registry',
  details: 'Other registries only list names, if they do; an empty TERM shows all of them.',
  arity: [1, 1],
  options: {
    filter: list('FILTER', 'stars=N, is-official=true|false; may be repeated', 'f'),
    format: text('TEMPLATE', 'table, json, or a template such as "{{.Name}}"'),
    limit: integer('N', `At most so many, up to ${MAX_LIMIT} (default 25)`, undefined, 1),
    noTrunc: flag('Descriptions as long as they are'),
  },
  examples: ['caisson registry search --filter stars=100 redis', 'caisson registry search registry.example:5000/shop'],
  run: async (context, { values, positionals: [word = ''] }) => {
    const { limit = 25, format = 'table' } = values
    if (limit > MAX_LIMIT) throw new UsageError(`--limit is at most ${MAX_LIMIT}, not ${limit}`)
    const filters = values.filter.map(filterOf)
    const found = await openWriter(context).searchImages({ ...targetOf(word), limit, filters })
    const rows = found.map((each) => rowOf(each, values.noTrunc))
    context.stdout.write(formatListing({ format, rows, columns: COLUMNS }))
    return 0
  },
})
