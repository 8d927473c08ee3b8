/** Variables that are the source of a secret: what they hold is not for printing. */
import { type Diagnostic, pointerOf } from '../errors.ts'
import type { Node } from './node.ts'
import { get, textOf } from './node.ts'
import type { LoadResult } from './project.ts'

/** What stands in for a value. */
export const MASK = '********'

/** Names in `environment:` of the secrets of a tree. */
export const secretVariablesOf = (tree: Node): ReadonlySet<string> => {
  const secrets = get(tree, 'secrets')
  const all = secrets?.kind === 'map' ? [...secrets.entries.values()] : []
  return new Set(all.map(({ value }) => textOf(get(value, 'environment'))).filter((name) => name !== undefined))
}

/** Shorter ones stand in any text by chance; nobody's secret is one. */
const LEAST_LENGTH = 4

/** A finding without the values of secrets, where a mistake is one of such a value. */
export const hideSecrets = (diagnostic: Diagnostic, values: readonly string[]): Diagnostic => {
  const hide = (text: string): string => values.reduce((shown, value) => hideParts(shown, value), text)
  const { message, hint } = diagnostic
  return { ...diagnostic, message: hide(message), ...(hint === undefined ? {} : { hint: hide(hint) }) }
}

/** Messages shorten long values, and quote the part of a value that is wrong. */
const hideParts = (text: string, value: string): string =>
  text
    .replaceAll(value, MASK)
    .replaceAll(/"([^"]*?)(…?)"/g, (quoted: string, part: string, dots: string) =>
      part.length >= LEAST_LENGTH && (value.includes(part) || (dots !== '' && endsInside(part, value)))
        ? `"${MASK}"`
        : quoted,
    )

/** Whether a text breaks off within the value. */
const endsInside = (text: string, value: string): boolean =>
  Array.from({ length: Math.min(text.length, value.length) }, (_, index) => index + 1).some(
    (length) => length >= LEAST_LENGTH && text.endsWith(value.slice(0, length)),
  )

/** What such variables hold, the longest first, for one may be part of another. */
export const secretValues = (
  variables: ReadonlySet<string>,
  environment: Readonly<Record<string, string>>,
): readonly string[] =>
  [...variables]
    .map((name) => (Object.hasOwn(environment, name) ? (environment[name] ?? '') : ''))
    .filter((value) => value.length >= LEAST_LENGTH)
    .sort((one, other) => other.length - one.length)

type Model = Pick<LoadResult, 'canonical' | 'origins' | 'secretVariables'>

export interface Masked {
  readonly canonical: LoadResult['canonical']
  /** How many values were. */
  readonly count: number
}

/** The canonical form with each value that such a variable went into masked. */
export const maskSecrets = ({ canonical, origins, secretVariables }: Model): Masked => {
  if (secretVariables.size === 0) return { canonical, count: 0 }
  let count = 0
  const mask = (value: unknown, pointer: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => mask(item, `${pointer}/${index}`))
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => [key, mask(member, pointer + pointerOf([key]))]),
      )
    const variables = origins.get(pointer)?.value.variables ?? []
    if (!variables.some((name) => secretVariables.has(name))) return value
    count++
    return MASK
  }
  return { canonical: mask(canonical, '') as LoadResult['canonical'], count }
}
