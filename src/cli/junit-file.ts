import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Project } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import type { Engine } from '../index.ts'
import type { Context } from './context.ts'
import { formatJunit } from './render/junit.ts'
import { judgeServices } from './verdicts.ts'

interface Session {
  readonly context: Context
  readonly engine: Engine
  readonly project: Project
}

/** `failure`: what `up` threw, if anything. Throws EWRITE. */
export const writeJunit = async (
  { context, engine, project }: Session,
  file: string,
  failure: unknown,
): Promise<void> => {
  const path = resolve(context.cwd, file)
  const text = formatJunit(project.name, await judgeServices(engine, project, failure))
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new CaissonError('EWRITE', `cannot write ${path}: ${error instanceof Error ? error.message : error}`)
  }
}
