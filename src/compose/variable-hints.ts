/** What to write instead of something with a dollar sign that does not do what was meant. */
import { suggest } from '../units/suggest.ts'

/** Short names are near to too many others. */
const SHORTEST = 4

type Environment = Readonly<Record<string, string>>

/** A question about a variable that has a value and nearly this name, before what else to do. */
const nearOr = (name: string, environment: Environment, otherwise: string): string => {
  const near = name.length < SHORTEST ? undefined : suggest(name, Object.keys(environment))
  return near === undefined ? otherwise : `did you mean $${near}? Or ${otherwise}`
}

/** For a variable without value. */
export const unsetHint = (name: string, environment: Environment): string =>
  nearOr(name, environment, `give a default: \${${name}:-…}`)

/** For one that has to have a value. */
export const requiredHint = (name: string, environment: Environment): string =>
  nearOr(name, environment, `set ${name} in the shell or in .env`)

const LITERAL = 'write $$ for a dollar sign'

/** For what stands behind a dollar sign and is no variable. */
export const templateHint = (template: string): string => {
  const [, name, rest] = /^\$\{([A-Za-z_]\w*)(.*)/s.exec(template) ?? []
  if (name === undefined || rest === undefined) return LITERAL
  if (!template.endsWith('}')) return `close it with }, or ${LITERAL}`
  const word = rest.slice(0, -1)
  if (/^:[^-?+]/.test(word)) return `write \${${name}:-${word.replace(/^:=?/, '')}} for a default`
  return `after the name only :-, -, :?, ?, :+ or + may follow; ${LITERAL}`
}
