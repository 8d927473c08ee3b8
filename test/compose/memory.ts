/** Projects of files in memory. */
import type { LoadInput } from '../../src/compose/load.ts'
import { load } from '../../src/compose/load.ts'
import type { LoadResult } from '../../src/compose/project.ts'

/** By path below /project; the first one is the Compose file. */
export type Texts = Readonly<Record<string, string>>

export const loadTexts = (texts: Texts, input: Partial<LoadInput> = {}): Promise<LoadResult> =>
  load({
    files: [`/project/${Object.keys(texts)[0]}`],
    workingDirectory: '/project',
    environment: { HOME: '/home/user' },
    profiles: [],
    readFile: (path) =>
      Object.hasOwn(texts, path.slice('/project/'.length)) ? texts[path.slice('/project/'.length)] : undefined,
    ...input,
  })

export const errorsOf = ({ diagnostics }: LoadResult): readonly string[] =>
  diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code)

/** What an origin of the result points at, in the text of its file. */
export const writtenAt = ({ origins, sources }: LoadResult, pointer: string): string => {
  const value = origins.get(pointer)?.value
  return value
    ? `${value.file.replace('/project/', '')}: ${sources.get(value.file)?.slice(value.start, value.end)}`
    : 'nowhere'
}
