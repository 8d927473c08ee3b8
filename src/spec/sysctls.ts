/** `sysctls`: those that a namespace of the container has for itself. Others would change the machine, and are refused. */
import type { Service } from '../compose/project.ts'
import type { Report } from './report.ts'

/** Of the ipc namespace (ipc_namespaces(7)). */
const IPC: ReadonlySet<string> = new Set(
  ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map(
    (name) => `kernel/${name}`,
  ),
)
const STEP = /^[A-Za-z0-9_:@-][A-Za-z0-9_.:@-]*$/

/**
 * Path below /proc/sys. As in sysctl(8) the first separator decides: `net.ipv4.ip_forward` is the usual spelling, and in
 * `net/ipv4/conf/eth0.1/forwarding` dots are part of a name. undefined: it is no name.
 */
export const sysctlPath = (name: string): string | undefined => {
  const separator = /[./]/.exec(name)?.[0]
  const path = separator === '/' ? name : name.replaceAll('.', '/')
  const steps = path.split('/')
  return steps.length > 1 && steps.every((step) => STEP.test(step)) ? path : undefined
}

const refusalOf = (path: string | undefined, { networkMode, ipc }: Service): string | undefined => {
  if (path === undefined) return 'that is not a name of one'
  if (IPC.has(path) || path.startsWith('fs/mqueue/'))
    return ipc === 'host' ? 'the ipc namespace of the service is that of the host' : undefined
  if (!path.startsWith('net/')) return 'it is of the whole machine, not of a container'
  return networkMode === 'host' ? 'the network of the service is that of the host' : undefined
}

const isOneLine = (value: string): boolean => value !== '' && !/[\n\0]/.test(value)

/** Path below /proc/sys to value. */
export const ociSysctls = (service: Service, report: Report): Readonly<Record<string, string>> => {
  const accepted: [string, string][] = []
  for (const [name, value] of Object.entries(service.sysctls)) {
    const path = sysctlPath(name)
    const refusal = refusalOf(path, service) ?? (isOneLine(value) ? undefined : 'its value is empty, or not one line')
    if (path !== undefined && refusal === undefined) accepted.push([path, value])
    else {
      const message = `service ${service.name}: sysctl ${name} cannot be set: ${refusal}`
      const hint = 'a container has its own net.*, kernel.msg*, kernel.sem, kernel.shm* and fs.mqueue.*'
      report({ code: 'ESYSCTL', path: ['services', service.name, 'sysctls', name], message, hint })
    }
  }
  return Object.fromEntries(accepted)
}
