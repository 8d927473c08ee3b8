/** Values of a bound tree, at a path below a node; undefined: there is none of that type. */
import { parseBytes } from '../units/bytes.ts'
import type { Node } from './node.ts'
import { at, textOf } from './node.ts'

export const text = (node: Node | undefined, ...path: string[]): string | undefined => textOf(at(node, path))

export const number = (node: Node | undefined, ...path: string[]): number | undefined => {
  const found = at(node, path)
  if (found?.kind !== 'scalar') return undefined
  // Beyond 2^53 nothing depends on the last digits.
  return typeof found.value === 'number' || typeof found.value === 'bigint' ? Number(found.value) : undefined
}

export const flag = (node: Node | undefined, ...path: string[]): boolean | undefined => {
  const found = at(node, path)
  return found?.kind === 'scalar' && typeof found.value === 'boolean' ? found.value : undefined
}

export const size = (node: Node | undefined, ...path: string[]): number | undefined => {
  const found = text(node, ...path)
  return found === undefined ? undefined : parseBytes(found)
}

export const items = (node: Node | undefined, ...path: string[]): readonly Node[] => {
  const found = at(node, path)
  return found?.kind === 'sequence' ? found.items : []
}

export const texts = (node: Node | undefined, ...path: string[]): readonly string[] =>
  items(node, ...path).flatMap((item) => textOf(item) ?? [])

/** By key, `create` undefined: left out. */
export const record = <T>(
  node: Node | undefined,
  create: (value: Node, key: string) => T | undefined,
): Readonly<Record<string, T>> => {
  const created: [string, T][] = []
  if (node?.kind === 'map') {
    for (const [key, entry] of node.entries) {
      const value = create(entry.value, key)
      if (value !== undefined) created.push([key, value])
    }
  }
  return Object.fromEntries(created)
}

/** Text by key; what has no text is left out. */
export const textRecord = (node: Node | undefined): Readonly<Record<string, string>> =>
  record(node, (value) => textOf(value))

/** Without the members that have no value. */
export const present = <T extends object>(values: { readonly [Key in keyof T]: T[Key] | undefined }): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
