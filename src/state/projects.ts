import type { ProjectRecord } from './records.ts'

export const findProject = async (_root: string, _files: readonly string[]): Promise<ProjectRecord | undefined> =>
  undefined
