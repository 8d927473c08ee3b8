/** What is to be said about a file of variables, with its places. */
import type { TreePath } from '../errors.ts'
import type { DotenvResult } from './dotenv.ts'
import type { Report } from './report.ts'

export const reportDotenv = ({ mistake, unset }: DotenvResult, file: string, path: TreePath, report: Report): void => {
  if (mistake) {
    const { message, hint, start, end } = mistake
    report.add({ code: 'env-file-syntax', path, message, hint, origin: { file, start, end } })
  }
  for (const { name, start, end } of unset) {
    const message = `The variable ${name} is not set: an empty text stands in for it`
    const hint = `give a default: \${${name}:-…}, or put the value in single quotes if the $ belongs to it`
    report.add({ code: 'variable-unset', severity: 'warning', path, message, hint, origin: { file, start, end } })
  }
}
