/** One finding about the user's files, or one failure, as an object for programs. Shape: schemas/finding.schema.json. */
import { locate } from '../../compose/frame.ts'
import { Positions } from '../../compose/positions.ts'
import type { LoadResult } from '../../compose/project.ts'
import { type Diagnostic, pointerOf } from '../../errors.ts'

type Located = Pick<LoadResult, 'origins' | 'sources'>

/** The end is behind the last character. */
const placeOf = (diagnostic: Diagnostic, located: Located) => {
  const place = locate(diagnostic, located)
  if (place === undefined) return { file: null, line: null, column: null, endLine: null, endColumn: null }
  const { file, line, column } = place
  const end = new Positions(located.sources).at(file, Math.max(place.start, place.end))
  return { file, line, column, endLine: end.line, endColumn: end.column }
}

const relatedOf = ({ related }: Diagnostic, { sources }: Located) => {
  if (related === undefined) return {}
  const { file, start } = related.at
  return { related: { message: related.message, file, ...new Positions(sources).at(file, start) } }
}

/** Fields of version 1; later ones only add. */
export const findingDocument = (diagnostic: Diagnostic, located: Located): object => {
  const { severity, code, path, message, hint = null } = diagnostic
  const service = path[0] === 'services' && path.length > 1 ? String(path[1]) : null
  return {
    ...{ version: 1, kind: 'finding', level: severity, code, path: pointerOf(path), service },
    ...placeOf(diagnostic, located),
    ...{ message, hint },
    ...relatedOf(diagnostic, located),
  }
}
