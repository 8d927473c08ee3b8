/** Text of a file → Node trees, one for each YAML document. The only module that knows the `yaml` package. */
import type { Alias, Document, Node as YamlNode, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import * as yaml from 'yaml'
import type { Entry, MapNode, MergeTag, Node } from './node.ts'
import { createOrigin, map, poisoned, scalar, sequence } from './node.ts'
import type { Origin } from './project.ts'
import type { Place, Report } from './report.ts'
import { suggest } from '../units/suggest.ts'
import { isDate, resolvePlain, resolveTagged } from './scalar.ts'
import { DEEPEST, depthPlace } from './yaml-depth.ts'
import { type Cause, findCause, findOwnCause } from './yaml-causes.ts'
import { describeYamlError } from './yaml-errors.ts'
import { reportTextMistakes } from './yaml-text-mistakes.ts'

/** Nodes that aliases may add to a document. Anchors make large maps cheap to write and `*a` of `*b` of `*c` a bomb. */
const ALIAS_BUDGET = 200_000
const CORE_TAG = 'tag:yaml.org,2002:'
const MERGE_TAGS: Readonly<Record<string, MergeTag>> = { '!reset': 'reset', '!override': 'override' }

interface Built {
  readonly node: Node
  /** Levels of maps and lists in it, its own included. */
  readonly depth: number
  /** Nodes below and including this one, aliases counted as often as they are used. */
  readonly size: number
}

class TreeBuilder {
  readonly #file: string
  readonly #text: string
  readonly #report: Report
  readonly #anchors = new Map<string, Built | 'open'>()
  #budget = ALIAS_BUDGET

  constructor(file: string, text: string, report: Report) {
    this.#file = file
    this.#text = text
    this.#report = report
  }

  build(node: YamlNode | null | undefined, fallback: Origin): Built {
    if (node === null || node === undefined) return { node: scalar(null, fallback), depth: 0, size: 1 }
    if (yaml.isAlias(node)) return this.#alias(node)
    const anchor = 'anchor' in node ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, 'open')
    const built = this.#tagged(node)
    if (anchor !== undefined) this.#anchors.set(anchor, built)
    return built
  }

  #tagged(node: YamlNode): Built {
    const built = this.#plain(node)
    const tag = 'tag' in node && typeof node.tag === 'string' ? MERGE_TAGS[node.tag] : undefined
    return tag ? { ...built, node: { ...built.node, tag } } : built
  }

  #plain(node: YamlNode): Built {
    if (yaml.isMap(node)) return this.#bounded(this.#map(node))
    if (yaml.isSeq(node)) return this.#bounded(this.#sequence(node))
    return { node: this.#scalar(node as Scalar), depth: 0, size: 1 }
  }

  #bounded(built: Built): Built {
    if (built.depth <= DEEPEST) return built
    const { origin } = built.node
    reportDepth(this.#report, origin)
    return { node: poisoned(origin), depth: 0, size: 1 }
  }

  #origin(node: YamlNode): Origin {
    const [start, end] = node.range ?? [0, 0]
    return createOrigin(this.#file, start, end)
  }

  #alias(alias: Alias): Built {
    const origin = this.#origin(alias)
    const built = this.#anchors.get(alias.source)
    if (built === undefined || built === 'open') {
      const message = built
        ? `The alias *${alias.source} contains itself`
        : `There is no anchor &${alias.source} before this alias`
      const hint = built ? 'an alias repeats something that is complete' : this.#anchorHint(alias.source)
      this.#report.add({ code: 'yaml-alias', path: [], message, hint, origin })
      return { node: poisoned(origin), depth: 0, size: 1 }
    }
    this.#budget -= built.size
    if (this.#budget >= 0) return built
    const message = `Aliases expand to more than ${ALIAS_BUDGET} values`
    const hint = 'write out what they repeat, or repeat less'
    if (this.#budget + built.size >= 0) this.#report.add({ code: 'yaml-alias-bomb', path: [], message, hint, origin })
    return { node: poisoned(origin), depth: 0, size: 1 }
  }

  #anchorHint(name: string): string {
    if (new RegExp(`&${name.replaceAll(/[^\\w-]/g, '.')}(?![\\w-])`).test(this.#text))
      return `move &${name} above it: anchors count from where they stand`
    const near = suggest(name, [...this.#anchors.keys()])
    return near === undefined ? `write &${name} before what it is to repeat` : `did you mean *${near}?`
  }

  #unknownTag(node: Scalar, origin: Origin): void {
    const { tag = '' } = node
    const start = this.#text.lastIndexOf(tag, origin.start)
    this.#report.add({
      code: 'yaml-tag',
      severity: 'warning',
      path: [],
      message: `"${tag}" is read as a tag, which means nothing here, not as text`,
      hint: `put it in quotes: "${`${tag} ${node.source ?? ''}`.trim()}"`,
      origin: start < 0 ? origin : { file: this.#file, start, end: start + tag.length },
    })
  }

  #sequence(node: YAMLSeq): Built {
    const origin = this.#origin(node)
    const items = node.items.map((item) => this.build(item as YamlNode | null, origin))
    return {
      node: sequence(
        items.map((item) => item.node),
        origin,
      ),
      depth: deepest(items) + 1,
      size: items.reduce((sum, item) => sum + item.size, 1),
    }
  }

  #map(node: YAMLMap): Built {
    const origin = this.#origin(node)
    const entries = new Map<string, Entry>()
    const merged: Node[] = []
    const values: Built[] = []
    for (const pair of node.items as Pair<YamlNode, YamlNode | null>[]) {
      const keyOrigin = this.#origin(pair.key)
      this.#anchorKey(pair.key)
      const value = this.build(pair.value, createOrigin(this.#file, keyOrigin.end, keyOrigin.end))
      values.push(value)
      if (isMergeKey(pair.key)) {
        if (merged.length > 0) this.#secondMergeKey(keyOrigin)
        merged.push(value.node)
        continue
      }
      const key = this.#key(pair, keyOrigin)
      if (key === undefined) {
        // Something is there, so that nobody complains of what is missing.
        const source = yaml.isScalar(pair.key) ? String(pair.key.source ?? '') : ''
        entries.set(source, { key: keyOrigin, value: poisoned(keyOrigin) })
        continue
      }
      const earlier = entries.get(key)
      if (earlier) this.#duplicate(key, keyOrigin, earlier.key)
      entries.set(key, { key: keyOrigin, value: earlier ? poisoned(keyOrigin) : value.node })
    }
    const own = map(entries, origin)
    const size = values.reduce((sum, value) => sum + value.size, 1)
    return { node: merged.length > 0 ? this.#mergeKeys(own, merged) : own, depth: deepest(values) + 1, size }
  }

  #anchorKey(key: YamlNode): void {
    if (yaml.isScalar(key) && key.anchor !== undefined)
      this.#anchors.set(key.anchor, { node: this.#scalar(key), depth: 0, size: 1 })
  }

  #secondMergeKey(origin: Origin): void {
    const message = 'The key "<<" stands twice in one map'
    this.#report.add({ code: 'key-duplicate', path: [], message, hint: 'write <<: [*one, *other]', origin })
  }

  #duplicate(key: string, origin: Origin, first: Origin | undefined): void {
    this.#report.add({
      code: 'key-duplicate',
      path: [],
      message: `The key "${key}" stands twice in one map`,
      hint: 'put both into one, or delete one',
      origin,
      related: first && { message: 'the first one is at', origin: first },
    })
  }

  #key({ key: node, value }: Pair<YamlNode, YamlNode | null>, origin: Origin): string | undefined {
    const target = yaml.isAlias(node) ? this.build(node, origin).node : undefined
    const key = target ?? (yaml.isScalar(node) ? this.#scalar(node) : undefined)
    if (key?.kind === 'poisoned') return undefined
    if (key?.kind === 'scalar' && typeof key.value === 'string' && !key.date) return key.value
    const text = yaml.isScalar(node) && node.source ? `The key ${node.source} is` : 'This key is'
    const hint = yaml.isScalar(node) && node.source ? keyHint(node.source, value) : undefined
    this.#report.add({ code: 'key-not-text', path: [], message: `${text} not text`, hint, origin })
    return undefined
  }

  /** `<<`: own keys win over merged ones, the first merged map over later ones. */
  #mergeKeys(own: MapNode, merged: readonly Node[]): MapNode {
    const entries = new Map(own.entries)
    for (const source of merged.flatMap((node) => (node.kind === 'sequence' ? node.items : [node]))) {
      if (source.kind === 'poisoned') continue
      if (source.kind !== 'map') {
        this.#report.add({
          code: 'yaml-alias',
          path: [],
          message: 'The merge key << takes a map or a list of maps',
          hint: 'write <<: *NAME, with &NAME behind the key of an earlier map',
          origin: source.origin,
        })
        continue
      }
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry)
    }
    return { ...own, entries }
  }

  #scalar(node: Scalar): Node {
    const origin = this.#origin(node)
    const text = typeof node.value === 'string' ? node.value : String(node.source ?? '')
    if (LONE_SURROGATE.test(text)) {
      const message = 'An escape sequence stands for half a character'
      this.#report.add({ code: 'yaml-character', path: [], message, hint: 'write the character itself', origin })
      return poisoned(origin)
    }
    const tag = node.tag?.startsWith(CORE_TAG) ? node.tag.slice(CORE_TAG.length) : undefined
    if (tag !== undefined) return this.#typed(tag, text, origin)
    if (node.type !== 'PLAIN') return scalar(text, origin)
    if (node.tag && !MERGE_TAGS[node.tag]) this.#unknownTag(node, origin)
    const value = resolvePlain(text)
    return typeof value === 'string' && isDate(value) ? { ...scalar(value, origin), date: true } : scalar(value, origin)
  }

  /** `!!int "5"` and its relatives. */
  #typed(tag: string, text: string, origin: Origin): Node {
    const value = resolveTagged(tag, text)
    if (value !== undefined)
      return tag === 'timestamp' ? { ...scalar(value, origin), date: true } : scalar(value, origin)
    const message = `"${text}" is not what its tag !!${tag} says`
    this.#report.add({ code: 'yaml-tag', path: [], message, hint: 'leave the tag out', origin })
    return poisoned(origin)
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u

const deepest = (parts: readonly Built[]): number => parts.reduce((depth, part) => Math.max(depth, part.depth), 0)

const reportDepth = (report: Report, origin: Place): void => {
  const message = `Values are nested more than ${DEEPEST} levels deep`
  report.add({ code: 'yaml-syntax', path: [], message, hint: 'a bracket may be missing', origin })
}

/** `8080: 80` was mostly meant as one text. */
const keyHint = (source: string, value: YamlNode | null): string => {
  const isPort = /^\d+$/.test(source) && yaml.isScalar(value) && /^\d+$/.test(String(value.source ?? ''))
  const joined = yaml.isScalar(value) ? `"${source}:${String(value.source)}"` : ''
  return isPort
    ? `write - ${joined} for a port, or put the key in quotes: "${source}"`
    : `put it in quotes: "${source}"`
}

const isMergeKey = (node: YamlNode): boolean =>
  yaml.isScalar(node) && node.value === '<<' && node.type === 'PLAIN' && !node.tag

/** Whitespace says nothing: point at what follows it in the line, or, at the end of the file, at what came last. */
const pointAt = (text: string, start: number): number => {
  const last = text.trimEnd().length - 1
  if (start > last) return Math.max(0, last)
  const blank = /^[ ]*/.exec(text.slice(start))?.[0].length ?? 0
  return Math.min(start + blank, last)
}

/** As many as are worth looking at: a parser that has lost its way finds errors without end. */
const ERRORS = 50

/** The first one, and of the others those that are no echo of it: a mistake of their own line. */
const reportErrors = (document: Document.Parsed, file: string, text: string, report: Report): boolean => {
  const [first, ...others] = document.errors.slice(0, ERRORS)
  if (!first) return false
  const start = pointAt(text, first.pos[0])
  const end = Math.max(Math.min(first.pos[1], text.trimEnd().length), start + 1)
  const cause = findCause(text, { code: first.code, message: first.message, start }) ?? {
    ...describeYamlError(first.code, first.message),
    ...{ start, end },
  }
  const lines = new Set<number>()
  const tell = ({ code, message, hint, ...place }: Cause): void => {
    const line = text.lastIndexOf('\n', place.start - 1)
    if (!lines.has(line)) report.add({ code, path: [], message, hint, origin: { file, ...place } })
    lines.add(line)
  }
  tell(cause)
  for (const { code, message, pos } of others) {
    const own = findOwnCause(text, { code, message, start: pointAt(text, pos[0]) })
    if (own) tell(own)
  }
  return true
}

export interface Parsed {
  readonly trees: readonly Node[]
  /** true: not YAML; the trees are worth nothing. */
  readonly broken: boolean
}

/** A carriage return alone ends a line too. Offsets stay what they are. */
const withLineEnds = (text: string): string => (text.includes('\r') ? text.replaceAll(/\r(?!\n)/g, '\n') : text)

/** Trees of the documents of a file; none for an empty file. Duplicate keys, bad aliases … are in `report`. */
export const parse = (file: string, written: string, report: Report): Parsed => {
  if (reportTextMistakes(file, written, report)) return { trees: [], broken: true }
  const text = withLineEnds(written)
  const tooDeep = depthPlace(file, text)
  if (tooDeep) {
    reportDepth(report, tooDeep)
    return { trees: [], broken: true }
  }
  const documents = yaml.parseAllDocuments(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    logLevel: 'silent',
  })
  if (!Array.isArray(documents)) return { trees: [], broken: false }
  const trees: Node[] = []
  for (const document of documents as Document.Parsed[]) {
    if (reportErrors(document, file, text, report)) return { trees: [], broken: true }
    if (document.contents === null) continue
    const range = createOrigin(file, document.range[0], document.range[1])
    trees.push(new TreeBuilder(file, text, report).build(document.contents as YamlNode, range).node)
  }
  return { trees, broken: false }
}
