/** What is to be said about a file of variables, with its places. Values may be secrets: none is quoted. */
import type { TreePath } from '../errors.ts'
import type { DotenvResult, UnsetVariable } from './dotenv.ts'
import type { Report } from './report.ts'

const unsetWords = ({ name, user, braced }: UnsetVariable): { readonly message: string; readonly hint: string } =>
  braced
    ? {
        message: `The variable ${name} is not set: an empty text stands in for it`,
        hint: `give a default: \${${name}:-…}, or put the value in single quotes if the $ belongs to it`,
      }
    : {
        message: `The value of ${user} uses a variable that is not set: an empty text stands in for it`,
        hint: 'put the value in single quotes if the $ belongs to it, or give a default: ${NAME:-…}',
      }

export const reportDotenv = ({ mistakes, unset }: DotenvResult, file: string, path: TreePath, report: Report): void => {
  for (const { message, hint, start, end } of mistakes)
    report.add({ code: 'env-file-syntax', path, message, hint, origin: { file, start, end } })
  for (const variable of unset) {
    const { start, end } = variable
    const origin = { file, start, end }
    report.add({ code: 'variable-unset', severity: 'warning', path, ...unsetWords(variable), origin })
  }
}
