import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CaissonError } from '../errors.ts'
import type { Engine } from '../index.ts'
import type { Context } from './context.ts'
import { formatJunit } from './render/junit.ts'
import { judgeServices, type Verdict } from './verdicts.ts'

/** Services of a project whose command has ended; `failure`: what it threw, if anything. */
export interface Judged {
  readonly engine: Engine
  readonly project: string
  readonly services: readonly string[]
  readonly failure: unknown
  /** Verdicts that are known already. */
  readonly known?: readonly Verdict[]
}

/** One test case for each service. Throws EWRITE. */
export const writeJunit = async (context: Context, file: string, judged: Judged): Promise<void> => {
  const { engine, project, services, failure, known = [] } = judged
  const verdicts = await judgeServices(engine, project, services, failure)
  const text = formatJunit(
    project,
    verdicts.map((verdict) => known.find(({ service }) => service === verdict.service) ?? verdict),
  )
  const path = resolve(context.cwd, file)
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new CaissonError('EWRITE', `cannot write ${path}: ${error instanceof Error ? error.message : error}`)
  }
}
