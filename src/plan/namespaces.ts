/**
 * Namespaces that a service takes from a container (`network_mode`, `ipc`, `pid`: `service:X`, `container:X`), and what that
 * excludes. Which container that is, and what becomes of those that share with it: joins.ts.
 */
import type { Project, Service } from '../compose/project.ts'
import type { Diagnostic, TreePath } from '../errors.ts'
import type { PlanFinding } from './codes.ts'

export type SharedNamespace = 'network' | 'ipc' | 'pid'

export interface Reference {
  readonly namespace: SharedNamespace
  readonly to: { readonly kind: 'service' | 'container'; readonly name: string }
  readonly path: TreePath
}

const KEYS: readonly (readonly [SharedNamespace, string, (service: Service) => string | undefined])[] = [
  ['network', 'network_mode', ({ networkMode }) => networkMode],
  ['ipc', 'ipc', ({ ipc }) => ipc],
  ['pid', 'pid', ({ pid }) => pid],
]

export const referencesOf = (service: Service): readonly Reference[] =>
  KEYS.flatMap(([namespace, key, read]) => {
    const [, kind, name = ''] = /^(service|container):(.*)$/.exec(read(service) ?? '') ?? []
    if (kind !== 'service' && kind !== 'container') return []
    return [{ namespace, to: { kind, name }, path: ['services', service.name, key] }]
  })

const VALUES: readonly (readonly [string, RegExp, (service: Service) => string | undefined])[] = [
  ['ipc', /^(|private|shareable|none|host|(service|container):.*)$/, ({ ipc }) => ipc],
  ['pid', /^(|host|(service|container):.*)$/, ({ pid }) => pid],
  ['uts', /^(|host)$/, ({ uts }) => uts],
  ['cgroup', /^(|host|private)$/, ({ cgroup }) => cgroup],
  ['userns_mode', /^(|host)$/, ({ usernsMode }) => usernsMode],
]

const refusal = (service: Service, key: string, message: string, hint?: string): PlanFinding => ({
  ...{ code: 'plan/namespaces', severity: 'error', path: ['services', service.name, key] },
  message: `service ${service.name}: ${message}`,
  ...(hint === undefined ? {} : { hint }),
})

/** Keys that say something about a network namespace, which is somebody else's to arrange. */
const OF_A_NETWORK: readonly (readonly [string, (service: Service) => boolean])[] = [
  ['ports', ({ ports }) => ports.length > 0],
  ['expose', ({ expose }) => expose.length > 0],
  ['hostname', ({ hostname }) => hostname !== undefined],
  ['dns', ({ dns }) => dns.length > 0],
  ['dns_search', ({ dnsSearch }) => dnsSearch.length > 0],
  ['dns_opt', ({ dnsOptions }) => dnsOptions.length > 0],
  ['extra_hosts', ({ extraHosts }) => Object.keys(extraHosts).length > 0],
]

const networkConflicts = (service: Service): readonly Diagnostic[] => {
  const reference = referencesOf(service).find(({ namespace }) => namespace === 'network')
  if (reference === undefined) return []
  const { kind, name } = reference.to
  const why = `the network namespace is that of ${kind} ${name}`
  return OF_A_NETWORK.filter(([, isSaid]) => isSaid(service)).map(([key]) =>
    refusal(service, key, `${key} cannot be set here: ${why}`, `set it on ${kind} ${name}`),
  )
}

/** Others may join it. */
export const allowsIpcJoin = ({ ipc }: Service): boolean =>
  ipc === 'shareable' || ipc === 'host' || /^(service|container):/.test(ipc ?? '')

/** A service that is referred to has to be there, and to allow it. */
const referenceConflicts = (project: Project, service: Service): readonly Diagnostic[] =>
  referencesOf(service).flatMap(({ namespace, to, path }) => {
    const key = String(path[2])
    if (to.name === '') return [refusal(service, key, `${key} names no ${to.kind}`)]
    const target = project.services[to.name]
    if (to.kind === 'container' || target === undefined) return []
    if (namespace !== 'ipc' || allowsIpcJoin(target)) return []
    return [
      refusal(
        service,
        key,
        `the ipc namespace of service ${to.name} is private`,
        `set \`ipc: shareable\` on ${to.name}`,
      ),
    ]
  })

/** Everything about namespaces that cannot be, with its place. */
export const namespaceConflicts = (project: Project, service: Service): readonly Diagnostic[] => {
  const values = VALUES.flatMap(([key, allowed, read]) => {
    const value = read(service) ?? ''
    return allowed.test(value) ? [] : [refusal(service, key, `there is no ${key} mode '${value}'`)]
  })
  const names = (['hostname', 'domainname'] as const).filter(
    (key) => service.uts === 'host' && service[key] !== undefined,
  )
  return [
    ...values,
    ...names.map((key) => refusal(service, key, `${key} cannot be set with uts: host: it is the machine's own`)),
    ...networkConflicts(service),
    ...referenceConflicts(project, service),
  ]
}
