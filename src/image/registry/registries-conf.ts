/**
 * podman's registries.conf: `[[registry]]` with `prefix`, `location`, `insecure`, `blocked`, and `[[registry.mirror]]` below it.
 * Of TOML only what these need is read; what else is in the file is for others. A location with a path, which would be
 * another name for the image, is not followed.
 */

export interface RegistryRule {
  /** `registry.example[:port][/namespace]`, or `*.example`: what names of images begin with. */
  readonly prefix: string
  readonly isBlocked: boolean
  readonly isInsecure: boolean
  /** Where it is asked instead, `host[:port]`; undefined: where its name says. */
  readonly location: string | undefined
  /** Asked before it. */
  readonly mirrors: readonly { readonly location: string; readonly isInsecure: boolean }[]
}

type Table = Record<string, string | boolean>

const HEADER = /^\[\[?\s*([\w.-]+)\s*\]\]?\s*(?:#.*)?$/
const PAIR = /^([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(true|false))\s*(?:#.*)?$/

interface Section {
  readonly own: Table
  readonly mirrors: Table[]
}

const sectionsOf = (text: string): readonly Section[] => {
  const sections: Section[] = []
  let table: Table = {}
  for (const line of text.split('\n').map((each) => each.trim())) {
    const header = HEADER.exec(line)?.[1]
    const [, key, quoted, plain, truth] = PAIR.exec(line) ?? []
    if (header !== undefined) table = {}
    if (header === 'registry') sections.push({ own: table, mirrors: [] })
    else if (header === 'registry.mirror') sections.at(-1)?.mirrors.push(table)
    else if (key !== undefined) table[key] = truth === undefined ? (quoted ?? plain ?? '') : truth === 'true'
  }
  return sections
}

const textOf = (value: string | boolean | undefined): string => (typeof value === 'string' ? value : '')

/** `warn`: of what is asked for and not done. */
export const parseRegistries = (text: string, warn: (message: string) => void): readonly RegistryRule[] =>
  sectionsOf(text).flatMap(({ own, mirrors }) => {
    const hostIn = (table: Table): string | undefined => {
      const location = textOf(table.location)
      if (location.includes('/')) warn(`registries.conf: the location ${location} has a path, and is not used`)
      return location === '' || location.includes('/') ? undefined : location
    }
    const prefix = textOf(own.prefix) || textOf(own.location)
    if (prefix === '') return []
    return [
      {
        ...{ prefix, isBlocked: own.blocked === true, isInsecure: own.insecure === true },
        // Without a prefix the location only says whom the rule is about.
        location: textOf(own.prefix) === '' ? undefined : hostIn(own),
        mirrors: mirrors.flatMap((table) => {
          const location = hostIn(table)
          return location === undefined ? [] : [{ location, isInsecure: table.insecure === true }]
        }),
      },
    ]
  })

const begins = (name: string, prefix: string): boolean => {
  if (prefix.startsWith('*.')) return (name.split('/')[0] ?? '').replace(/:\d+$/, '').endsWith(prefix.slice(1))
  return name === prefix || name.startsWith(`${prefix}/`)
}

/** The longest prefix counts. `name`: `docker.io/library/redis`. */
export const ruleFor = (rules: readonly RegistryRule[], name: string): RegistryRule | undefined =>
  rules
    .filter(({ prefix }) => begins(name, prefix))
    .reduce<RegistryRule | undefined>(
      (best, each) => (best === undefined || each.prefix.length > best.prefix.length ? each : best),
      undefined,
    )
