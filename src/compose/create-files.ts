/** Secrets and configs of a service, each with where its content comes from. */
import type { Node } from './node.ts'
import { get } from './node.ts'
import type { FileSource, ServiceFile } from './project.ts'
import { flag, items, text } from './tree-values.ts'

interface FileContext {
  readonly tree: Node
  readonly environment: Readonly<Record<string, string>>
}

/** Where a relative target starts. */
const BASE = { secret: '/run/secrets', config: '' } as const

const createSource = (file: Node | undefined, { environment }: FileContext): FileSource => {
  const variable = text(file, 'environment')
  const path = text(file, 'file')
  if (variable !== undefined) {
    const node = get(file, 'environment')
    const known = Object.hasOwn(environment, variable) ? environment[variable] : undefined
    const secretValue = (node?.kind === 'scalar' ? node.secretValue : undefined) ?? known
    return { type: 'environment', variable, secretValue }
  }
  if (path !== undefined) return { type: 'file', file: path }
  return flag(file, 'external') ? { type: 'external' } : { type: 'content', content: text(file, 'content') ?? '' }
}

const createFile = (
  mount: Node,
  kind: ServiceFile['kind'],
  path: ServiceFile['path'],
  context: FileContext,
): ServiceFile => {
  const key = text(mount, 'source') ?? ''
  const target = text(mount, 'target') ?? key
  const mode = text(mount, 'mode')
  return {
    kind,
    key,
    source: createSource(get(get(context.tree, `${kind}s`), key), context),
    target: target.startsWith('/') ? target : `${BASE[kind]}/${target}`,
    uid: text(mount, 'uid'),
    gid: text(mount, 'gid'),
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    path,
  }
}

export const createFiles = (node: Node, service: string, context: FileContext): readonly ServiceFile[] =>
  (['secret', 'config'] as const).flatMap((kind) =>
    items(node, `${kind}s`).map((mount, index) =>
      createFile(mount, kind, ['services', service, `${kind}s`, index], context),
    ),
  )
