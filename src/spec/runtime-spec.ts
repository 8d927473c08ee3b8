import type { Service } from '../compose/project.ts'
import { type Diagnostic, ProjectError } from '../errors.ts'
import type { HostFacts } from '../native/host-facts.ts'
import type { ImageConfig } from '../oci/image-config.ts'
import type { OciLinux, OciNamespace, RuntimeSpec } from '../oci/runtime-spec.ts'
import type { Allocation } from './allocation.ts'
import { groupPath } from './cgroup-path.ts'
import { deviceNodes } from './devices.ts'
import { healthOf } from './health.ts'
import { logLimits } from './logging.ts'
import { ociMounts } from './mounts.ts'
import { networkSettings } from './network-settings.ts'
import { hostnameOf, ociProcess } from './process.ts'
import { reportTo } from './report.ts'
import { ociResources } from './resources.ts'
import { restartOf } from './restart.ts'
import { seccompProfile, securityOptions, systemPaths } from './security.ts'
import { ociSysctls } from './sysctls.ts'
import { stopOf } from './stop.ts'

/** What a process is made from; `exec` needs no more. */
export interface ProcessInput {
  /** The definition that the container was made from. */
  readonly service: Service
  readonly image: ImageConfig
  readonly facts: HostFacts
  readonly allocation: Pick<Allocation, 'id' | 'project' | 'cgroupParent' | 'accounts' | 'hostname'>
}

export interface SpecInput extends ProcessInput {
  readonly allocation: Allocation
}

const NAMESPACES: readonly OciNamespace[] = ['pid', 'mount', 'ipc', 'uts', 'cgroup', 'network']

/** Path of the container's cgroup below each hierarchy's root. */
export const cgroupsPath = ({ allocation, service }: Pick<ProcessInput, 'allocation' | 'service'>): string =>
  groupPath(allocation.cgroupParent, allocation, service)

/** Own, joined, or left out: the host's. */
const namespacesOf = (service: Service, { network, joins }: Allocation): OciLinux['namespaces'] => {
  const { ipc, pid, uts, cgroup } = service
  const ofHost: Readonly<Record<string, boolean>> = {
    ...{ network: network.mode === 'host', ipc: ipc === 'host', pid: pid === 'host' },
    ...{ uts: uts === 'host', cgroup: cgroup === 'host' },
  }
  return NAMESPACES.flatMap((type) => {
    const joined = joins.find(({ namespaces }) => namespaces.some((namespace) => namespace === type))
    if (joined !== undefined) return [{ type, path: joined.controlSocket }]
    return ofHost[type] ? [] : [{ type }]
  })
}

/**
 * What is to run, in the OCI runtime specification's words. Pure.
 * Throws ProjectError with every value of the service that has no meaning for this image or host.
 */
export const createRuntimeSpec = (input: SpecInput): RuntimeSpec => {
  const { service, facts, allocation } = input
  const diagnostics: Diagnostic[] = []
  const report = reportTo(diagnostics)
  const security = securityOptions(service, report)
  const process = ociProcess(input, security, report)
  const mounts = ociMounts(service, allocation, report)
  const { devices, symlinks } = deviceNodes(service, mounts, allocation)
  const paths = systemPaths(service, security, facts.cpus)
  const seccomp = seccompProfile(service, security, { bounding: process.capabilities.bounding, facts, report })
  const spec: RuntimeSpec = {
    ociVersion: '1.2.1',
    hostname: hostnameOf(input),
    ...(service.domainname === undefined ? {} : { domainname: service.domainname }),
    root: { readonly: service.readOnly },
    process,
    mounts,
    linux: {
      namespaces: namespacesOf(service, allocation),
      devices,
      resources: ociResources(service, allocation.hostDevices, report),
      cgroupsPath: cgroupsPath(input),
      ...(seccomp === undefined ? {} : { seccomp }),
      maskedPaths: paths.masked,
      readonlyPaths: paths.readOnly,
      sysctl: ociSysctls(service, report),
      rootfsPropagation: 'rprivate',
    },
    annotations: { ...input.image.labels, ...service.labels, ...service.annotations },
    caisson: {
      id: allocation.id,
      name: allocation.name,
      init: service.init ?? false,
      openStdin: service.stdinOpen,
      networkMode: allocation.network.mode,
      networkSettings: networkSettings(allocation.network, facts),
      symlinks,
      log: logLimits(service, report),
      stop: stopOf(service, input.image.stopSignal, report),
      restart: restartOf(service),
      health: healthOf(service, input.image),
    },
  }
  if (diagnostics.length > 0) throw new ProjectError(diagnostics)
  return spec
}
