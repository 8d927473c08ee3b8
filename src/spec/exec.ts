import { ALL_CAPABILITIES, capabilityNames } from '../linux/capabilities.ts'
import { type Diagnostic, ProjectError } from '../errors.ts'
import type { ExecPlan } from '../native/launch-plan.ts'
import type { Extension, OciProcess } from '../oci/runtime-spec.ts'
import { containerCgroups } from './cgroups.ts'
import { formatVariables, withVariables } from './env.ts'
import { lowerProcess } from './lower-process.ts'
import { normalPath } from './path.ts'
import { ociProcess } from './process.ts'
import { reportTo } from './report.ts'
import { cgroupsPath, type ProcessInput } from './runtime-spec.ts'
import { seccompProfile, securityOptions } from './security.ts'

export interface ExecRequest {
  readonly args: readonly string[]
  /** `NAME=value`; `NAME` alone unsets. */
  readonly env: readonly string[]
  /** undefined: the container's. */
  readonly cwd: string | undefined
  /** As `user:`; undefined: the container's. */
  readonly user: string | undefined
  readonly tty: boolean
  readonly interactive: boolean
  /** What it starts and leaves ends with it. */
  readonly supervised: boolean
  readonly privileged: boolean
  /** Initial terminal size; 0 = unknown. */
  readonly rows: number
  readonly columns: number
  /** Path of the monitor's control socket. */
  readonly controlSocket: string
}

/** The plan of a health check's command; undefined: it has none. */
export const lowerProbe = (health: Extension['health'], container: ProcessInput, controlSocket: string) => {
  if (health?.test.kind !== 'command') return undefined
  const { args } = health.test
  const asContainer = { env: [], cwd: undefined, user: undefined, tty: false, interactive: false, privileged: false }
  return lowerExec({ ...asContainer, args, rows: 0, columns: 0, supervised: true, controlSocket }, container)
}

/** The container's definition with what was asked for in its place. The command is no matter: `args` replaces it. */
const withRequest = (request: ExecRequest, container: ProcessInput): ProcessInput => {
  const { service } = container
  return {
    ...container,
    service: {
      ...service,
      user: request.user ?? service.user,
      tty: request.tty,
      workingDir: request.cwd ?? service.workingDir,
      entrypoint: request.args,
      command: [],
      privileged: service.privileged || request.privileged,
    },
  }
}

const variables = (env: readonly string[]): Map<string, string> => withVariables(new Map(), env)

const execProcess = (process: OciProcess, request: ExecRequest, available: bigint): OciProcess => {
  // Unlike the container's own process, a privileged one of any user holds its capabilities (docker exec --privileged -u).
  const all = capabilityNames(ALL_CAPABILITIES & available)
  return {
    ...process,
    args: request.args,
    env: formatVariables(withVariables(variables(process.env), request.env)),
    cwd: normalPath(process.cwd),
    ...(request.rows > 0 ? { consoleSize: { height: request.rows, width: request.columns } } : {}),
    ...(request.privileged
      ? { capabilities: { ...process.capabilities, bounding: all, permitted: all, effective: all } }
      : {}),
  }
}

/**
 * The plan of a process beside the container's own, made from the definition that the container was made from: same
 * capabilities, filter, limits and groups unless asked otherwise. Pure. Throws ProjectError for an unknown user.
 */
export const lowerExec = (request: ExecRequest, container: ProcessInput): ExecPlan => {
  const diagnostics: Diagnostic[] = []
  const report = reportTo(diagnostics)
  const input = withRequest(request, container)
  const security = securityOptions(input.service, report)
  const process = execProcess(ociProcess(input, security, report), request, input.facts.boundingCapabilities)
  const { bounding } = process.capabilities
  const seccomp = seccompProfile(input.service, security, { bounding, facts: input.facts, report })
  if (diagnostics.length > 0) throw new ProjectError(diagnostics)
  const { facts, allocation } = input
  const { cpuset } = input.service.resources
  const groups = { devices: [], cpu: cpuset === undefined ? {} : { cpus: cpuset } }
  return {
    process: lowerProcess(
      { process, linux: seccomp === undefined ? {} : { seccomp }, caisson: { id: allocation.id } },
      facts.machine,
    ),
    controlSocket: request.controlSocket,
    cgroups: containerCgroups(cgroupsPath(input), groups, facts.cgroup).map(({ path }) => path),
    interactive: request.interactive,
    supervised: request.supervised,
  }
}
