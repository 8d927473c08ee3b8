import type { Service } from '../compose/project.ts'
import { CaissonError, type TreePath } from '../errors.ts'
import type { ImageConfig } from '../oci/image-config.ts'
import type { OciProcess } from '../oci/runtime-spec.ts'
import type { Accounts } from './allocation.ts'
import { ociCapabilities } from './capabilities.ts'
import { environment, formatVariables } from './env.ts'
import { normalPath } from './path.ts'
import type { Report } from './report.ts'
import type { ProcessInput } from './runtime-spec.ts'
import type { SecurityOptions } from './security.ts'
import { rlimits } from './ulimits.ts'
import { resolveGroup, resolveUser, type User } from './user.ts'

const UMASK = 0o022

/**
 * argv. An entrypoint of the service puts the image's CMD out of force; an empty one only takes the image's entrypoint
 * away (Docker's rule, which Compose inherits).
 */
export const commandLine = (
  service: Pick<Service, 'entrypoint' | 'command'>,
  image: Pick<ImageConfig, 'entrypoint' | 'cmd'>,
): readonly string[] => {
  const ownEntrypoint = service.entrypoint !== undefined && service.entrypoint.length > 0
  const entrypoint = service.entrypoint ?? image.entrypoint ?? []
  const command = service.command ?? (ownEntrypoint ? [] : (image.cmd ?? []))
  return [...entrypoint, ...command]
}

/** The user of the process, or root with a finding if there is no such user. */
const userOf = (input: ProcessInput, accounts: Accounts, path: TreePath, report: Report): User => {
  const { service, image } = input
  try {
    return resolveUser(service.user ?? image.user, accounts)
  } catch (error) {
    if (!(error instanceof CaissonError)) throw error
    report({ code: 'EUSER', path: service.user === undefined ? path : [...path, 'user'], message: error.message })
    return resolveUser('', accounts)
  }
}

/** The groups of `group_add`, beside those that the user has anyway. */
const addedGroups = (service: Service, accounts: Accounts, report: Report): number[] =>
  service.groupAdd.flatMap((text, index) => {
    try {
      return [resolveGroup(text, accounts)]
    } catch (error) {
      if (!(error instanceof CaissonError)) throw error
      report({ code: 'EUSER', path: ['services', service.name, 'group_add', index], message: error.message })
      return []
    }
  })

/** What the container is called inside; empty: the name of the host stays (its network or its uts namespace is the host's). */
export const hostnameOf = ({
  service,
  allocation,
}: {
  readonly service: Service
  readonly allocation: Pick<ProcessInput['allocation'], 'id' | 'hostname'>
}): string => {
  if (service.uts === 'host') return ''
  return allocation.hostname ?? service.hostname ?? (service.networkMode === 'host' ? '' : allocation.id)
}

/** __NEW_UTS_LEN, and no byte that would end a word or a line of /etc/hosts. */
const UTS_NAME = /^[^\s/#\0]{1,64}$/

export const checkNames = (service: Service, report: Report): void => {
  for (const key of ['hostname', 'domainname'] as const) {
    const name = service[key]
    if (name === undefined || (UTS_NAME.test(name) && Buffer.byteLength(name) <= 64)) continue
    const message = `${key} '${name}' is not a name of 1 to 64 bytes without spaces`
    report({ code: 'EHOSTNAME', path: ['services', service.name, key], message })
  }
}

/** Absolute; the root where nobody names one. */
export const workingDirectory = (service: Service, ofImage: string, report: Report): string => {
  const cwd = service.workingDir ?? ofImage
  if (cwd !== '' && !cwd.startsWith('/')) {
    const path = ['services', service.name, 'working_dir']
    report({ code: 'EPATH', path, message: `working directory '${cwd}' is not an absolute path` })
  }
  return normalPath(cwd)
}

export const ociProcess = (input: ProcessInput, security: SecurityOptions, report: Report): OciProcess => {
  const { service, image, facts, allocation } = input
  const path: TreePath = ['services', service.name]
  const user = userOf(input, allocation.accounts, path, report)
  const groups = [...new Set([...user.groups, ...addedGroups(service, allocation.accounts, report)])]
  const args = commandLine(service, image)
  checkNames(service, report)
  if (args.length === 0) {
    report({
      code: 'ECOMMAND',
      path,
      message: `service '${service.name}' has no command, and neither has its image`,
      hint: 'set command: or entrypoint:',
    })
  }
  const cwd = workingDirectory(service, image.workingDir, report)
  const env = environment({
    hostname: hostnameOf(input),
    tty: service.tty,
    image: image.env,
    service: service.environment,
    user,
  })
  return {
    terminal: service.tty,
    user: { uid: user.uid, gid: user.gid, umask: UMASK, additionalGids: groups },
    args,
    env: formatVariables(env),
    cwd,
    capabilities: ociCapabilities(service, user.uid, facts.boundingCapabilities, report),
    rlimits: rlimits(service, report),
    noNewPrivileges: security.noNewPrivileges,
    ...(service.resources.oomScoreAdj === undefined ? {} : { oomScoreAdj: service.resources.oomScoreAdj }),
  }
}
