/** What schemas/compose.schema.json says about a place. Loaded only when there is a mistake. */
import schema from '../../schemas/compose.schema.json' with { type: 'json' }
import type { TreePath } from '../errors.ts'

export type Part = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Part =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const definitions: Readonly<Record<string, unknown>> = schema.$defs

const resolve = (value: unknown): Part => {
  if (!isRecord(value)) return {}
  const reference = typeof value.$ref === 'string' ? value.$ref.replace('#/$defs/', '') : undefined
  return reference === undefined ? value : resolve(definitions[reference])
}

/** Of the value at a path; empty where the schema says nothing. */
export const schemaAt = (path: TreePath): Part =>
  path.reduce<Part>((holder, step) => {
    if (typeof step === 'number') return resolve(holder.items)
    const named = isRecord(holder.properties) ? holder.properties[step] : undefined
    const patterns = isRecord(holder.patternProperties) ? Object.entries(holder.patternProperties) : []
    return resolve(named ?? patterns.find(([pattern]) => new RegExp(pattern).test(step))?.[1])
  }, schema as Part)

/** The words that a value may be there; for editors they stand beside the variables that stand for one. undefined: any. */
export const wordsAt = (path: TreePath): readonly unknown[] | undefined => {
  const schema = schemaAt(path)
  const alternatives = Array.isArray(schema.anyOf) ? schema.anyOf.filter(isRecord) : []
  return [schema, ...alternatives].map((each) => each.enum).find((words) => Array.isArray(words))
}

/** Names of the keys that a map has there. */
export const keysAt = (path: TreePath): readonly string[] => {
  const { properties } = schemaAt(path)
  return isRecord(properties) ? Object.keys(properties) : []
}

/** Types that a value may have there. */
export const typesAt = (path: TreePath): readonly string[] => [schemaAt(path).type ?? []].flat().map(String)

export const SECTIONS: readonly string[] = Object.keys(schema.properties)

const DEPTH = 4

const collect = (holder: Part, path: readonly string[], places: Map<string, (readonly string[])[]>): void => {
  if (path.length >= DEPTH || !isRecord(holder.properties)) return
  for (const [name, value] of Object.entries(holder.properties)) {
    places.set(name, [...(places.get(name) ?? []), path])
    collect(resolve(value), [...path, name], places)
  }
}

let serviceKeys: Map<string, (readonly string[])[]> | undefined

/** Below which keys of a service a key may stand: `[]` is the service itself. */
export const placesInService = (key: string): readonly (readonly string[])[] => {
  if (serviceKeys === undefined) {
    serviceKeys = new Map()
    collect(resolve(definitions.service), [], serviceKeys)
  }
  return serviceKeys.get(key) ?? []
}
