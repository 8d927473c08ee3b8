/**
 * Secrets and configs of one run, as files in its run directory: owner and mode are what the service asks for, and the
 * directory is closed to all others. They are read at each start and end with the run. No record has the value of a
 * variable: it stays in $CAISSON_RUN, for a later start of the container that reads no Compose file.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { Service, ServiceFile } from '../compose/project.ts'
import { type Diagnostic, ProjectError } from '../errors.ts'
import { type FileOwner, ownerOf } from '../spec/files.ts'
import { runPaths, valuesFile } from '../state/layout.ts'
import type { ContainerRecord } from '../state/records.ts'
import { readRecord, writeNewRecord } from '../state/store.ts'
import type { Session } from './session.ts'

const MAX_BYTES = 16 * 1024 * 1024

interface ValuesRecord {
  readonly version: 1
  /** Variable to value. */
  readonly values: Readonly<Record<string, string>>
}

/** The definition as records keep it. */
export const withoutSecrets = (service: Service): Service => ({
  ...service,
  files: service.files.map((file) =>
    file.source.type === 'environment' ? { ...file, source: { ...file.source, secretValue: undefined } } : file,
  ),
})

const valuesIn = (service: Service | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (service?.files ?? []).flatMap(({ source }) =>
      source.type === 'environment' && source.secretValue !== undefined ? [[source.variable, source.secretValue]] : [],
    ),
  )

const usesValues = ({ files }: Service): boolean => files.some(({ source }) => source.type === 'environment')

/** Values of the variables: those of the Compose file where it was read, otherwise those of the last start. */
const valuesOf = (session: Session, { id, definition }: ContainerRecord, model: Service | undefined) => {
  if (!usesValues(definition)) return {}
  const path = valuesFile(session.roots, id)
  const values = { ...readRecord<ValuesRecord>(path)?.values, ...valuesIn(model) }
  rmSync(path, { force: true })
  writeNewRecord<ValuesRecord>(path, { version: 1, values })
  return values
}

const finding = (service: string, { path }: ServiceFile, message: string, hint?: string): ProjectError => {
  const diagnostic: Diagnostic = {
    ...{ code: 'EFILE', severity: 'error', path, message: `service ${service}: ${message}` },
    ...(hint === undefined ? {} : { hint }),
  }
  return new ProjectError([diagnostic])
}

/** Content of a regular file, and no more of it than fits. Without O_NONBLOCK a FIFO would keep us waiting. */
const readBounded = (path: string): Buffer | 'directory' | 'special' | 'long' => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(fd)
    if (stats.isDirectory()) return 'directory'
    if (!stats.isFile()) return 'special'
    if (stats.size > MAX_BYTES) return 'long'
    const content = Buffer.alloc(Number(stats.size) + 1)
    let length = 0
    for (let part = -1; part !== 0 && length < content.length; length += part) {
      part = readSync(fd, content, length, content.length - length, null)
    }
    return content.subarray(0, Math.min(length, Number(stats.size)))
  } finally {
    closeSync(fd)
  }
}

const REFUSED = {
  special: 'is neither a file nor a directory',
  long: `is larger than ${MAX_BYTES / 1024 / 1024} MiB`,
} as const

/** Content, or the path of a directory, which is bound as it is. */
const contentOf = (service: string, file: ServiceFile, values: Readonly<Record<string, string>>) => {
  const { source, kind, key } = file
  switch (source.type) {
    case 'content':
      return Buffer.from(source.content)
    case 'environment': {
      const value = values[source.variable]
      if (value !== undefined) return Buffer.from(value)
      const hint = 'only `up` reads it; it is kept until the machine restarts'
      throw finding(service, file, `${kind} ${key}: the value of the variable ${source.variable} is not known`, hint)
    }
    case 'external':
      throw finding(service, file, `${kind} ${key} is external`)
    case 'file':
      return fileContent(service, file, source.file)
  }
}

const fileContent = (service: string, file: ServiceFile, path: string): Buffer | string => {
  let content: ReturnType<typeof readBounded>
  try {
    content = readBounded(path)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'does not exist' : undefined
    throw finding(service, file, `${file.kind} ${file.key}: the file ${path} ${reason ?? `cannot be read: ${error}`}`)
  }
  if (content === 'directory') return path
  if (typeof content === 'string') throw finding(service, file, `${file.kind} ${file.key}: ${path} ${REFUSED[content]}`)
  return content
}

/** chmod last: a change of owner clears set-id bits. */
const writeOwned = (path: string, content: Buffer, { uid, gid, mode }: FileOwner): void => {
  const fd = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(fd, content)
    fchownSync(fd, uid, gid)
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

/** Makes the files of a run; their paths, in the order of the service. `model`: as the Compose file has it now. */
export const provideFiles = (
  session: Session,
  record: ContainerRecord,
  model: Service | undefined,
): readonly string[] => {
  const { files } = record.definition
  if (files.length === 0) return []
  const directory = runPaths(session.roots, record.id).files
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { mode: 0o700 })
  const values = valuesOf(session, record, model)
  return files.map((file, index) => {
    const content = contentOf(record.service, file, values)
    if (typeof content === 'string') return content
    const path = `${directory}/${index}`
    writeOwned(path, content, ownerOf(file))
    return path
  })
}

/** Before anything is changed: findings about files that are not there, or are none. */
export const checkSources = (service: Service): readonly Diagnostic[] => {
  return service.files.flatMap((file) => {
    if (file.source.type !== 'file') return []
    try {
      fileContent(service.name, file, file.source.file)
      return []
    } catch (error) {
      if (error instanceof ProjectError) return error.diagnostics
      throw error
    }
  })
}
