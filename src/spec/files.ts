/** Secrets and configs as mounts: each is a file that the engine has made with its owner and mode, bound read-only. */
import type { Service, ServiceFile } from '../compose/project.ts'
import { MAX_ID } from './user.ts'
import { isWithin, normalPath } from './path.ts'
import type { Report } from './report.ts'

const DEFAULT_MODE = 0o444

export interface FileOwner {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

const idOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return 0
  return /^\d+$/.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined
}

export const ownerOf = ({ uid, gid, mode }: ServiceFile): FileOwner => ({
  uid: idOf(uid) ?? 0,
  gid: idOf(gid) ?? 0,
  mode: (mode ?? DEFAULT_MODE) & 0o7777,
})

const BASE = { secret: '/run/secrets', config: '/' } as const

/** A target that was written as a relative one must not lead out of its directory. */
const escapes = ({ kind, target }: ServiceFile): boolean =>
  target.split('/').includes('..') && kind === 'secret' && target.startsWith(`${BASE.secret}/`)
    ? !isWithin(normalPath(target), BASE.secret)
    : false

const sourceProblem = ({ kind, key, source }: ServiceFile): string | undefined => {
  if (source.type === 'external')
    return `${kind} ${key} is external, and there is nothing outside the project that keeps any`
  if (source.type === 'environment' && source.secretValue === undefined)
    return `${kind} ${key} comes from the variable ${source.variable}, which is not set`
  return undefined
}

const problemOf = (file: ServiceFile): string | undefined => {
  if (escapes(file)) return `${file.kind} ${file.key} has the target ${file.target}, which leads out of ${BASE.secret}`
  for (const name of ['uid', 'gid'] as const) {
    if (idOf(file[name]) === undefined)
      return `${file.kind} ${file.key} has the ${name} '${file[name]}', which is no number`
  }
  return sourceProblem(file)
}

/** Before anything is changed: the values are at hand then. */
export const checkFiles = (service: Service, report: Report): void => {
  for (const file of service.files) {
    const problem = problemOf(file)
    if (problem !== undefined)
      report({ code: 'EFILE', path: file.path, message: `service ${service.name}: ${problem}` })
  }
}
