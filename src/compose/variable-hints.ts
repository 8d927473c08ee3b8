/** What to write instead of something with a dollar sign that does not do what was meant. */
import { suggest } from '../units/suggest.ts'

/** Short names are near to too many others. */
const SHORTEST = 4

/** For a variable without value. */
export const unsetHint = (name: string, environment: Readonly<Record<string, string>>): string => {
  const fallback = `give a default: \${${name}:-…}`
  const near = name.length < SHORTEST ? undefined : suggest(name, Object.keys(environment))
  return near === undefined ? fallback : `did you mean $${near}? Or ${fallback}`
}

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
