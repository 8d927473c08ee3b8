import { CaissonError } from '../../errors.ts'
import type { ContainerRow, Engine } from '../../index.ts'
import { didYouMean } from '../../units/suggest.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { text } from '../grammar.ts'
import { discoverProject } from '../discovery.ts'
import { inspectView } from '../render/inspect.ts'
import { formatTemplate } from '../render/template.ts'
import { openReader } from '../runtime.ts'
import { findTarget } from '../target.ts'

/** A whole name or the beginning of one id; docker's slash in front of a name is allowed. */
const byName = (rows: readonly ContainerRow[], word: string): readonly ContainerRow[] => {
  const name = word.replace(/^\//, '')
  const named = rows.filter((row) => row.name === name || row.id === name)
  if (named.length > 0 || !/^[0-9a-f]{2,12}$/.test(name)) return named
  return rows.filter((row) => row.id.startsWith(name))
}

/** Name of the project that this directory, or -p, is about; undefined: none. */
const projectName = async (context: Context, engine: Engine): Promise<string | undefined> => {
  const { files, projectName: named } = discoverProject(context)
  return files.length === 0 && named === undefined ? undefined : (await findTarget(context, engine)).name
}

const missing = (word: string, rows: readonly ContainerRow[]): never => {
  const hint = didYouMean(
    word,
    rows.flatMap((row) => [row.name, row.service]),
  )
  throw new CaissonError('ENOCONTAINER', `no such container or service: ${word}`, hint === undefined ? {} : { hint })
}

const find = async (context: Context, engine: Engine, words: readonly string[]): Promise<readonly string[]> => {
  const rows = await engine.ps(undefined)
  const ids: string[] = []
  let project: { readonly name: string | undefined } | undefined
  for (const word of words) {
    const named = byName(rows, word)
    if (named.length > 1) throw new CaissonError('EAMBIGUOUS', `${word} is the beginning of more than one id`)
    if (named.length === 0) project ??= { name: await projectName(context, engine) }
    const found = named.length > 0 ? named : rows.filter((row) => row.project === project?.name && row.service === word)
    ids.push(...(found.length === 0 ? missing(word, rows) : found).map(({ id }) => id))
  }
  return ids
}

export const inspect = defineCommand({
  usage: 'NAME|ID|SERVICE…',
  summary: 'Show everything about containers, in the fields of docker inspect',
  arity: [1, Number.POSITIVE_INFINITY],
  options: { format: text('TEMPLATE', 'Template such as "{{.State.Health.Status}}" or "{{json .State}}"', 'f') },
  examples: ['caisson inspect web', "caisson inspect -f '{{json .State.Health}}' shop-web-1"],
  run: async (context, { values, positionals }) => {
    const engine = openReader(context)
    const views = (await engine.details(await find(context, engine, positionals))).map(inspectView)
    const isJson = values.format === undefined || values.format === 'json'
    context.stdout.write(
      isJson ? `${JSON.stringify(views, null, 4)}\n` : formatTemplate(values.format ?? '', views, {}),
    )
    return 0
  },
})
