/** `config --environment` and `config --variables`. What secrets come from is masked. */
import { formatVariablesJson, formatVariablesYaml } from '../compose/format.ts'
import type { LoadResult } from '../compose/project.ts'
import { MASK } from '../compose/secret-variables.ts'
import { type AskedVariable, askedVariables } from '../compose/variables.ts'
import type { Context } from './context.ts'
import { discoverProject } from './discovery.ts'
import { formatTable, WIDE } from './render/table.ts'

interface Shown {
  readonly result: LoadResult
  readonly showSecrets: boolean
}

/** `NAME=VALUE`, sorted, with the name that the project has. */
export const formatEnvironment = (context: Context, { result, showSecrets }: Shown): string => {
  const { secretVariables, canonical } = result
  const environment = { ...discoverProject(context).environment, COMPOSE_PROJECT_NAME: String(canonical.name) }
  return Object.entries(environment)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${secretVariables.has(name) && !showSecrets ? MASK : value}\n`)
    .join('')
}

const masked = (variable: AskedVariable): AskedVariable => ({
  ...variable,
  fallback: variable.fallback && MASK,
  alternate: variable.alternate && MASK,
})

const HEADERS = ['NAME', 'REQUIRED', 'DEFAULT VALUE', 'ALTERNATE VALUE']

export const formatVariables = ({ result, showSecrets }: Shown, format: 'table' | 'json' | 'yaml'): string => {
  const variables = askedVariables(result.canonical).map((variable) =>
    result.secretVariables.has(variable.name) && !showSecrets ? masked(variable) : variable,
  )
  if (format === 'json') return `${formatVariablesJson(variables)}\n`
  if (format === 'yaml') return formatVariablesYaml(variables)
  const rows = variables.map(({ name, required, fallback, alternate }) => [name, String(required), fallback, alternate])
  return formatTable(HEADERS, rows, WIDE)
}
