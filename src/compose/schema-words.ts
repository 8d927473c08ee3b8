/** Errors of the JSON Schema → one diagnostic for each mistake, in words. Loaded only when there is one. */
import type { ValidationError } from '../../build/compose-validator.cjs'
import type { TreePath } from '../errors.ts'
import { didYouMean } from '../units/suggest.ts'
import type { Code } from './codes.ts'
import { keyHint } from './key-hints.ts'
import { lostIndentations } from './lost-indentation.ts'
import type { Node } from './node.ts'
import { at, textOf } from './node.ts'
import { compilePatterns, valueAt } from './pattern.ts'
import type { Origin } from './project.ts'
import type { Report } from './report.ts'
import { keysAt, typesAt, wordsAt } from './schema-lookup.ts'
import { type Mistake, parsePointer, unknownOf } from './schema-mistake.ts'
import { onlyPair, typeHint } from './type-hints.ts'
import { describeNode, enumerate, nameOf } from './words.ts'

interface Words {
  readonly code: Code
  readonly message: string
  readonly hint?: string | undefined
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'empty',
  object: 'a map',
  array: 'a list',
}

const PULL_POLICIES = ['always', 'never', 'missing', 'if_not_present', 'build', 'daily', 'weekly']

/** What the patterns of the schema want, in words. */
const PATTERN_HINTS = compilePatterns<string>({
  'services.*.container_name': 'write at least two of letters, digits, "_", "." and "-", a letter or digit first',
  'services.*.pull_policy':
    'write always, never, missing, build, daily, weekly or every_ and a time, such as every_12h',
  'services.*.x-caisson-probe.tcp': 'write a port from 1 to 65535',
  'services.*.x-caisson-probe.http': 'write a port, PORT/PATH, or a map of port and path',
  'services.*.x-caisson-probe.http.port': 'write a port from 1 to 65535',
  'services.*.x-caisson-probe.http.path': 'start it with /',
})

const invalidName = (name: string, path: TreePath): Words => {
  if (name === '') return { code: 'name-invalid', message: `A name in ${nameOf(path)} is empty` }
  const message = `"${name}" cannot be a name in ${nameOf(path)}`
  if (path.at(-1) === 'ulimits')
    return { code: 'name-invalid', message, hint: 'limits have names of lower-case letters, such as nofile' }
  const repaired = name.replaceAll(/[^a-zA-Z0-9._-]+/g, '-').replaceAll(/^-|-$/g, '')
  const hint = 'names consist of letters, digits, ".", "_" and "-"'
  return { code: 'name-invalid', message, hint: repaired === '' ? hint : `${hint}: write ${repaired}` }
}

const unknownKey = ({ error, path }: Mistake): Words => {
  const key = unknownOf(error) ?? ''
  if (keysAt(path).length === 0) return invalidName(key, path)
  return { code: 'key-unknown', message: `${nameOf(path)} has no key "${key}"`, hint: keyHint(key, path) }
}

const wrongType = ({ error, path, node }: Mistake, report: Report): Words => {
  const types = [error.params.type].flat().map(String)
  // Text is allowed beside true, false and whole numbers for the sake of variables only.
  const isTyped = types.length === 2 && types[1] === 'string' && types[0] !== 'number' && types[0] !== 'array'
  const wanted = (isTyped && !types.includes('null') ? types.slice(0, 1) : types).filter((type) => type !== 'null')
  const words = enumerate(wanted.map((type) => TYPE_WORDS[type] ?? type))
  const written = node && report.written(node.origin)
  return {
    code: 'type-wrong',
    message: `${nameOf(path)} is ${describeNode(node)}, but has to be ${words}`,
    hint: typeHint({ path, node, types, written }),
  }
}

const notAllowed = ({ error, path, node }: Mistake): Words => {
  const allowed = Array.isArray(error.params.allowedValues) ? error.params.allowedValues.map(String) : []
  const value = node?.kind === 'scalar' ? String(node.value) : ''
  const message = `${nameOf(path)} is ${describeNode(node)}, but has to be ${enumerate(allowed)}`
  return { code: 'value-not-allowed', message, hint: didYouMean(value, allowed) }
}

const missing = ({ error, path }: Mistake): Words => {
  const key = String(error.params.missingProperty)
  const allowed = wordsAt([...path, key])
  const hint = `add ${key}: ${allowed ? enumerate(allowed.map(String)) : '…'}`
  return { code: 'key-missing', message: `${nameOf(path)} has no "${key}"`, hint }
}

const outOfRange = ({ error, path, node }: Mistake, words: string): Words => ({
  code: 'value-not-allowed',
  message: `${nameOf(path)} is ${describeNode(node)}, but has to be ${words} ${String(error.params.limit)}`,
})

/** Keywords that only lead to others, which have errors of their own. */
const BRANCHES = ['if', 'anyOf', 'oneOf', 'allOf']

const describe = (mistake: Mistake, report: Report): Words | undefined => {
  const { error, path, node } = mistake
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(mistake)
    case 'type':
      return wrongType(mistake, report)
    case 'enum':
      return notAllowed(mistake)
    case 'required':
      return missing(mistake)
    case 'uniqueItems': {
      const twin = at(node, [Number(error.params.i)])
      return { code: 'value-twice', message: `${nameOf(path)} has ${describeNode(twin)} twice`, hint: 'delete one' }
    }
    case 'minimum':
      return outOfRange(mistake, 'at least')
    case 'maximum':
      return outOfRange(mistake, 'at most')
    default: {
      if (BRANCHES.includes(error.keyword)) return undefined
      const message = `${nameOf(path)} cannot be ${describeNode(node)}`
      const near = path.at(-1) === 'pull_policy' ? didYouMean(textOf(node) ?? '', PULL_POLICIES) : undefined
      return { code: 'value-not-allowed', message, hint: near ?? valueAt(PATTERN_HINTS, path) }
    }
  }
}

/** Where to point: at the unknown key, the later twin, the key of what is empty or incomplete, else the value. */
const placeOf = ({ error, path, node }: Mistake, tree: Node): Origin | undefined => {
  const unknown = unknownOf(error)
  if (unknown !== undefined && node?.kind === 'map') {
    const entry = node.entries.get(unknown)
    return entry?.key ?? entry?.value.origin
  }
  if (error.keyword === 'uniqueItems') return at(node, [Number(error.params.i)])?.origin
  const origin = node?.origin
  const isUnwritten = origin !== undefined && origin.start === origin.end
  return isUnwritten || error.keyword === 'required' ? (keyOf(tree, path) ?? origin) : origin
}

const keyOf = (tree: Node, path: TreePath): Origin | undefined => {
  const holder = at(tree, path.slice(0, -1))
  return holder?.kind === 'map' ? holder.entries.get(String(path.at(-1)))?.key : undefined
}

/** Something in it has been reported: what it is as a whole follows from that. */
const isReported = ({ error, node }: Mistake): boolean => {
  if (node?.kind === 'poisoned') return true
  if (node?.kind !== 'map') return false
  const unknown = unknownOf(error)
  if (unknown !== undefined) return node.entries.get(unknown)?.value.kind === 'poisoned'
  const isWhole = error.keyword === 'type' || error.keyword === 'required'
  return isWhole && [...node.entries.values()].some(({ value }) => value.kind === 'poisoned')
}

/** `- ./a: /b` in a list of texts or maps: a text with a space too much, not a map with everything wrong. */
const splitText = (mistake: Mistake): Words | undefined => {
  const pair = onlyPair(mistake.node)
  const isItem = typeof mistake.path.at(-1) === 'number' && typesAt(mistake.path).includes('string')
  if (!isItem || pair === undefined || unknownOf(mistake.error) !== pair[0]) return undefined
  const [key, value] = pair
  const near = didYouMean(key, keysAt(mistake.path))
  if (near !== undefined) return undefined
  const message = `${nameOf(mistake.path)} is a map, because a space follows the colon of "${key}: ${value}"`
  return { code: 'type-wrong', message, hint: `write "${key}:${value}"` }
}

/** A missing key that an unknown one beside it was meant for. */
const isMisspelt = ({ error, path }: Mistake, all: readonly Mistake[]): boolean => {
  if (error.keyword !== 'required') return false
  const { missingProperty } = error.params
  const beside = all.filter((other) => other.error.instancePath === error.instancePath)
  return beside.some((other) => {
    const key = unknownOf(other.error)
    if (key === undefined) return false
    return splitText(other) !== undefined || keyHint(key, path)?.includes(`"${String(missingProperty)}"`) === true
  })
}

/** Reports each mistake once; returns the paths of the values that later phases had better not look at. */
export const reportMistakes = (tree: Node, errors: readonly ValidationError[], report: Report): readonly TreePath[] => {
  const all = errors.map((error): Mistake => {
    const path = parsePointer(error.instancePath, tree)
    return { error, path, node: at(tree, path) }
  })
  const { rest, broken } = lostIndentations(tree, all, report)
  for (const mistake of rest) {
    if (isReported(mistake) || isMisspelt(mistake, all)) continue
    const split = splitText(mistake)
    const words = split ?? describe(mistake, report)
    if (!words) continue
    const { path } = mistake
    const unknown = split ? undefined : unknownOf(mistake.error)
    const place = unknown === undefined ? path : [...path, unknown]
    report.add({ ...words, path: place, origin: split ? mistake.node?.origin : placeOf(mistake, tree) })
    broken.push(place)
  }
  return broken
}
