/** The variables that a project asks for: what `config --variables` lists. */
import { variablesOf } from './template.ts'

/** A variable, and what the files say about it together. */
export interface AskedVariable {
  readonly name: string
  /** There is a place that fails without it. */
  readonly required: boolean
  /** The first value that a place falls back on, and the first that stands in for it, as written; empty: none. */
  readonly fallback: string
  readonly alternate: string
}

const textsOf = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}

/** Of a model whose variables were left as they are; by name. */
export const askedVariables = (model: unknown): readonly AskedVariable[] => {
  const found = new Map<string, AskedVariable>()
  for (const { name, required, fallback, alternate } of textsOf(model).flatMap(variablesOf)) {
    const known = found.get(name)
    found.set(name, {
      name,
      required: required || known?.required === true,
      fallback: known?.fallback || fallback,
      alternate: known?.alternate || alternate,
    })
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
