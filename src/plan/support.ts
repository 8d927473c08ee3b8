import type { Project } from '../compose/project.ts'
import type { Diagnostic } from '../errors.ts'

export const unsupported = (_project: Project, _lenient: boolean): readonly Diagnostic[] => []
