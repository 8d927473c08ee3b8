/** The import graph of src/, read from the text of its files. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export interface Import {
  /** Path below the repository, as `to` is if it begins with `src/`; otherwise `to` is a package or `node:…`. */
  readonly from: string
  readonly to: string
  readonly line: number
  /** Gone after compilation. */
  readonly type: boolean
  /** `import('…')`: loaded when it is reached. */
  readonly lazy: boolean
}

/** Paths below the repository of all files in `folder` with one of these endings, sorted. */
export const filesIn = (folder: string, ...endings: readonly string[]): string[] =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)) && !name.includes('node_modules'))
    .map((name) => join(folder, name))
    .sort()

export const readSource = (path: string): string => readFileSync(join(repository, path), 'utf8')

const STATIC = /^(?:import|export)\s+(type\s+)?([^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
const LAZY = /(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

const target = (from: string, specifier: string): string =>
  specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : specifier

/** `import { type A, type B }` names types alone. */
const namesOnlyTypes = (names: string): boolean => {
  const inside = /\{([^}]*)\}/.exec(names)?.[1]
  return inside?.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type ')) ?? false
}

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '))

export const importsOf = (from: string): Import[] => {
  const text = withoutComments(readSource(from))
  const lineAt = (index: number): number => text.slice(0, index).split('\n').length
  const found: Import[] = []
  for (const match of text.matchAll(STATIC)) {
    const [, type, names = '', specifier = ''] = match
    found.push({
      from,
      to: target(from, specifier),
      line: lineAt(match.index),
      type: type !== undefined || namesOnlyTypes(names),
      lazy: false,
    })
  }
  for (const match of text.matchAll(LAZY)) {
    const isType =
      match[1] !== undefined ||
      /\bimport\([^)]*\)\.[A-Z]/.test(text.slice(match.index, match.index + match[0].length + 2))
    found.push({ from, to: target(from, match[2] ?? ''), line: lineAt(match.index), type: isType, lazy: true })
  }
  return found
}

export const allImports = (): Import[] => filesIn('src', '.ts').flatMap(importsOf)

/** Everything that is loaded at once with `start`: files of src/, packages, Node's modules. */
export const loadedWith = (start: string): Set<string> => {
  const seen = new Set<string>()
  const pending = [start]
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    if (!file.startsWith('src/') || !file.endsWith('.ts')) continue
    for (const { to, type, lazy } of importsOf(file)) if (!type && !lazy) pending.push(to)
  }
  return seen
}
