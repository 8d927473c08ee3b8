/** Names of Compose files that are not on this machine: URLs, OCI artifacts and Git repositories. */
import type { Finding } from './report.ts'

const REMOTE = /^(?:[a-z][a-z0-9+.-]+:\/\/|git@|github\.com\/)/i

export const isRemote = (file: string): boolean => REMOTE.test(file)

/** `origin`: who names it; undefined: the command line. */
export const remoteFinding = (file: string, origin: Finding['origin'], path: Finding['path']): Finding => ({
  code: 'not-supported-yet',
  path,
  message: `The file ${file} is not on this machine, and fetching files is not supported yet`,
  hint: 'fetch it by hand, and name the local file',
  origin,
})
