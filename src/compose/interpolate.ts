/** Variables in values (never in keys) → their values; then text in places that want a number or a boolean → that. */
import { BOOLEANS } from './booleans.ts'
import type { TreePath } from '../errors.ts'
import type { Node, ScalarNode, ScalarValue } from './node.ts'
import { mapItems, mapValues, poisoned } from './node.ts'
import type { PatternNode } from './pattern.ts'
import { compilePatterns, stepItem, stepKey } from './pattern.ts'
import type { Origin } from './project.ts'
import type { Report } from './report.ts'
import { substitute } from './template.ts'
import { numberHint } from './unit-hints.ts'
import { requiredHint, templateHint, unsetHint } from './variable-hints.ts'
import { nameOf, shown } from './words.ts'

type Cast = 'integer' | 'float' | 'boolean'

const SERVICE_CASTS: Readonly<Record<string, Cast>> = {
  cpu_count: 'integer',
  cpu_percent: 'float',
  cpu_period: 'integer',
  cpu_quota: 'integer',
  cpu_shares: 'integer',
  cpus: 'float',
  init: 'boolean',
  'deploy.replicas': 'integer',
  'deploy.update_config.parallelism': 'integer',
  'deploy.update_config.max_failure_ratio': 'float',
  'deploy.rollback_config.parallelism': 'integer',
  'deploy.rollback_config.max_failure_ratio': 'float',
  'deploy.restart_policy.max_attempts': 'integer',
  'deploy.placement.max_replicas_per_node': 'integer',
  'env_file.[].required': 'boolean',
  'healthcheck.retries': 'integer',
  'healthcheck.disable': 'boolean',
  oom_kill_disable: 'boolean',
  oom_score_adj: 'integer',
  pids_limit: 'integer',
  'ports.[].target': 'integer',
  privileged: 'boolean',
  read_only: 'boolean',
  scale: 'integer',
  stdin_open: 'boolean',
  tty: 'boolean',
  'ulimits.*': 'integer',
  'ulimits.*.hard': 'integer',
  'ulimits.*.soft': 'integer',
  'volumes.[].read_only': 'boolean',
  'volumes.[].volume.nocopy': 'boolean',
  'volumes.[].bind.create_host_path': 'boolean',
}

const CASTS = compilePatterns<Cast>({
  ...Object.fromEntries(Object.entries(SERVICE_CASTS).map(([key, cast]) => [`services.*.${key}`, cast])),
  'networks.*.external': 'boolean',
  'networks.*.internal': 'boolean',
  'networks.*.attachable': 'boolean',
  'networks.*.enable_ipv4': 'boolean',
  'networks.*.enable_ipv6': 'boolean',
  'volumes.*.external': 'boolean',
  'secrets.*.external': 'boolean',
  'configs.*.external': 'boolean',
})

export interface Interpolation {
  readonly environment: Readonly<Record<string, string>>
  /** Without value for a reason that was told. */
  readonly wrong: ReadonlySet<string>
  readonly sources: ReadonlyMap<string, string>
  readonly report: Report
  /** false: only the casts (`config --no-interpolate`). */
  readonly variables: boolean
}

class Interpolator {
  readonly #input: Interpolation
  readonly #path: (string | number)[] = []

  constructor(input: Interpolation) {
    this.#input = input
  }

  walk(node: Node, casts: PatternNode<Cast> | undefined): Node {
    switch (node.kind) {
      case 'map':
        return mapValues(node, (value, name) => this.#step(name, value, stepKey(casts, name)))
      case 'sequence':
        return mapItems(node, (item, index) => this.#step(index, item, stepItem(casts)))
      case 'scalar':
        return typeof node.value === 'string' ? this.#text(node, node.value, casts?.value) : node
      case 'poisoned':
        return node
    }
  }

  #step(step: string | number, node: Node, casts: PatternNode<Cast> | undefined): Node {
    this.#path.push(step)
    const result = this.walk(node, casts)
    this.#path.pop()
    return result
  }

  #text(node: ScalarNode, text: string, cast: Cast | undefined): Node {
    const replaced = text.includes('$') && this.#input.variables ? this.#substitute(node, text) : node
    if (cast === undefined || replaced.kind !== 'scalar' || typeof replaced.value !== 'string') return replaced
    if (replaced.value.includes('$') && !this.#input.variables) return replaced
    return this.#cast(replaced, replaced.value, cast)
  }

  #substitute(node: ScalarNode, text: string): Node {
    const { environment, wrong, report } = this.#input
    const variables = new Set<string>()
    const path: TreePath = this.#path
    let failed = false
    const value = substitute(text, {
      lookup: (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined),
      used: (name) => variables.add(name),
      unset: (name, start, end) => {
        failed ||= wrong.has(name)
        if (wrong.has(name)) return
        report.add({
          code: 'variable-unset',
          severity: 'warning',
          path,
          message: `The variable ${name} is not set: an empty text stands in for it`,
          hint: unsetHint(name, environment),
          origin: this.#place(node.origin, text, start, end),
        })
      },
      required: (name, message, start, end) => {
        failed = true
        if (wrong.has(name)) return
        const reason = message ? `: ${message}` : ''
        report.add({
          code: 'variable-required',
          path,
          message: `The variable ${name} needs a value${reason}`,
          hint: requiredHint(name, environment),
          origin: this.#place(node.origin, text, start, end),
        })
      },
      invalid: (start, end) => {
        failed = true
        const place = this.#place(node.origin, text, start, end)
        report.add({
          code: 'variable-syntax',
          path,
          message: `"${text.slice(start, end).trimEnd()}" is not a variable`,
          hint: templateHint(text.slice(start, end)),
          origin: place,
        })
      },
    })
    const origin = { ...node.origin, variables: [...variables] }
    return failed ? poisoned(origin) : { ...node, value, origin }
  }

  /** Where a part of a value stands in its file: exact while the value is written as it reads, else the whole value. */
  #place(origin: Origin, text: string, start: number, end: number): Pick<Origin, 'file' | 'start' | 'end'> {
    const source = this.#input.sources.get(origin.file)?.slice(origin.start, origin.end) ?? ''
    const part = text.slice(start, end)
    const written = source.startsWith(text)
      ? start
      : source.indexOf(part, Math.max(0, Math.min(start, source.length - part.length)))
    const found = written < 0 ? source.indexOf(part) : written
    if (found < 0) return origin
    return { file: origin.file, start: origin.start + found, end: origin.start + found + part.length }
  }

  #cast(node: ScalarNode, text: string, cast: Cast): Node {
    const { report } = this.#input
    const value = castText(text, cast)
    if (value === undefined) {
      // A size or a range in a place that takes both is the schema's and the binding's business.
      const wanted = cast === 'boolean' ? 'true or false' : cast === 'integer' ? 'a whole number' : 'a number'
      const code = cast === 'boolean' ? 'not-a-boolean' : 'not-a-number'
      const message = `${nameOf(this.#path)} is ${shown(node)}, not ${wanted}`
      const hint = cast === 'boolean' ? undefined : numberHint(text)
      report.add({ code, path: this.#path, message, hint, origin: node.origin })
      return poisoned(node.origin)
    }
    if (cast === 'boolean' && !/^(true|false)$/i.test(text)) {
      const message = `"${text}" is an old spelling of ${value}`
      report.add({
        code: 'boolean-spelling',
        severity: 'warning',
        path: this.#path,
        message,
        hint: `write ${value}`,
        origin: node.origin,
      })
    }
    return { ...node, value }
  }
}

const castText = (text: string, cast: Cast): ScalarValue | undefined => {
  if (cast === 'boolean') return BOOLEANS[text.toLowerCase()]
  if (cast === 'integer') return /^[-+]?\d+$/.test(text) ? Number(text) : undefined
  return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined
}

export const interpolate = (tree: Node, input: Interpolation): Node => new Interpolator(input).walk(tree, CASTS)
