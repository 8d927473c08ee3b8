/** Where each value of the canonical form came from: as comments for people, as one object for programs. */
import type { Position } from './positions.ts'
import { Positions } from './positions.ts'
import type { LoadResult, Origin } from './project.ts'

/** Who gave a variable its value: an env file by its path, the environment of the command, or the project's own name. */
export type VariableSource = { readonly kind: 'file'; readonly file: string } | { readonly kind: 'shell' | 'project' }

export interface ProvenanceOptions {
  /** How to write a file's name. */
  readonly name: (file: string) => string
  /** undefined: the variable has no value but what env files of includes may give it. */
  readonly sourceOf: (variable: string) => VariableSource | undefined
  /** What named the project where no file did: `--project-name`. undefined: its directory. */
  readonly namedBy?: string | undefined
}

/** What `config --origins --format json` says of one value. Positions are of the whole file. */
export interface Provenance extends Place {
  readonly variables: readonly { readonly name: string; readonly source: string | null }[]
  /** Values of earlier files that this one stands in for, the last one first. */
  readonly replaces: readonly Place[]
}

/** Null where nobody wrote the value. */
export interface Place {
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
}

const NOWHERE: Place = { file: null, line: null, column: null }

const replacedBy = ({ replaced }: Origin): readonly Origin[] =>
  replaced === undefined ? [] : [replaced, ...replacedBy(replaced)]

type Model = Pick<LoadResult, 'origins' | 'sources' | 'variableFiles'>

export class Provenances {
  readonly #origins: LoadResult['origins']
  readonly #positions: Positions
  readonly #variableFiles: LoadResult['variableFiles']
  readonly #options: ProvenanceOptions

  constructor({ origins, sources, variableFiles }: Model, options: ProvenanceOptions) {
    this.#origins = origins
    this.#positions = new Positions(sources)
    this.#variableFiles = variableFiles
    this.#options = options
  }

  /** `compose.yaml:4 (TAG from .env), replaces base.yaml:7`. undefined: the place is of no node. */
  comment(pointer: string): string | undefined {
    const found = this.#origins.get(pointer)?.value
    if (found === undefined) return undefined
    if (found.assumed) return pointer === '/name' ? (this.#options.namedBy ?? 'default') : 'default'
    const variables = found.variables.map((name) => `${name} ${this.#sourceWords(name, found)}`)
    const replaced = replacedBy(found).map((origin) => this.#line(origin))
    return [
      this.#line(found),
      variables.length > 0 ? ` (${variables.join(', ')})` : '',
      replaced.length > 0 ? `, replaces ${replaced.join(', ')}` : '',
    ].join('')
  }

  /** Whether the whole value, be it a map or a list, stands in for one of an earlier file. */
  replaces(pointer: string): boolean {
    return this.#origins.get(pointer)?.value.replaced !== undefined
  }

  /** By JSON Pointer, of everything in the canonical form. */
  all(): Readonly<Record<string, Provenance>> {
    return Object.fromEntries([...this.#origins].map(([pointer, { value }]) => [pointer, this.#provenance(value)]))
  }

  #provenance(origin: Origin): Provenance {
    const source = (name: string): string | null => {
      const found = this.#sourceOf(name, origin)
      return found === undefined ? null : found.kind === 'file' ? found.file : found.kind
    }
    return {
      ...(origin.assumed ? NOWHERE : this.#place(origin)),
      variables: origin.variables.map((name) => ({ name, source: source(name) })),
      replaces: replacedBy(origin).map((each) => this.#place(each)),
    }
  }

  #position({ file, start }: Origin): Position {
    return this.#positions.at(file, start)
  }

  #place(origin: Origin): Place {
    return { file: origin.file, ...this.#position(origin) }
  }

  #line(origin: Origin): string {
    return `${this.#options.name(origin.file)}:${this.#position(origin).line}`
  }

  #sourceOf(variable: string, { file }: Origin): VariableSource | undefined {
    const given = this.#variableFiles.get(file)?.get(variable)
    return given === undefined ? this.#options.sourceOf(variable) : { kind: 'file', file: given }
  }

  #sourceWords(variable: string, origin: Origin): string {
    const source = this.#sourceOf(variable, origin)
    if (source === undefined) return 'is not set'
    if (source.kind === 'file') return `from ${this.#options.name(source.file)}`
    return source.kind === 'shell' ? 'from the shell' : 'is the name of the project'
  }
}
