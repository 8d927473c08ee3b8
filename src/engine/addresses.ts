/** What a project says about addresses, checked as a whole before anything starts. Claims on the machine come later. */
import type { Network, Project, Service, ServiceNetwork } from '../compose/project.ts'
import type { Diagnostic, TreePath } from '../errors.ts'
import { isUsable, parseMac } from '../network/ipam.ts'
import { contains, parseAddress, parseSubnet, type Subnet } from '../network/ipv4.ts'

const error = (path: TreePath, message: string, hint?: string): Diagnostic => ({
  ...{ code: 'plan/addresses', severity: 'error', path, message },
  ...(hint === undefined ? {} : { hint }),
})

type Pool = Network['ipam'][number]

const isInside = (subnet: Subnet, text: string) => {
  const address = parseAddress(text.split('/')[0] ?? '')
  return address !== undefined && contains(subnet, address)
}

/** A pool of IPv4, or one that says nothing of its subnet. */
const poolOf = ({ ipam }: Network): { readonly pool: Pool; readonly index: number } | undefined => {
  const index = ipam.findIndex(({ subnet }) => subnet === undefined || parseSubnet(subnet) !== undefined)
  const pool = ipam[index]
  return pool === undefined ? undefined : { pool, index }
}

const poolProblems = (network: Network, pool: Pool, index: number): readonly Diagnostic[] => {
  const at = (...rest: TreePath): TreePath => ['networks', network.key, 'ipam', 'config', index, ...rest]
  const subject = `network ${network.key}`
  if (pool.subnet === undefined) return []
  const subnet = parseSubnet(pool.subnet)
  if (subnet === undefined) {
    return pool.subnet.includes(':') ? [] : [error(at('subnet'), `${subject}: '${pool.subnet}' is not a subnet`)]
  }
  const inside: readonly (readonly [TreePath, string, string | undefined])[] = [
    [['gateway'], 'gateway', pool.gateway],
    [['ip_range'], 'ip_range', pool.ipRange],
    ...Object.entries(pool.auxAddresses).map(
      ([name, address]) => [['aux_addresses', name], `aux_addresses ${name}`, address] as const,
    ),
  ]
  return inside.flatMap(([path, what, value]) =>
    value === undefined || isInside(subnet, value)
      ? []
      : [error(at(...path), `${subject}: ${what} ${value} is not in ${pool.subnet}`)],
  )
}

const networkProblems = (network: Network): readonly Diagnostic[] =>
  network.external ? [] : network.ipam.flatMap((pool, index) => poolProblems(network, pool, index))

/** Why `address` cannot be had on `network`; undefined: it can, as far as the file says. */
const addressProblem = (
  network: Network,
  address: string,
): { readonly message: string; readonly hint?: string } | undefined => {
  const parsed = parseAddress(address)
  if (parsed === undefined) return { message: `${address} is not an IPv4 address` }
  if (network.external) return undefined
  const pool = poolOf(network)?.pool
  const subnet = parseSubnet(pool?.subnet ?? '')
  if (pool === undefined || subnet === undefined) {
    const hint = `give network ${network.key} an ipam.config with a subnet`
    return { message: `${address} needs a network with a subnet of its own`, hint }
  }
  if (!contains(subnet, parsed)) return { message: `${address} is not in ${pool.subnet} of network ${network.key}` }
  const gateway = (pool.gateway === undefined ? undefined : parseAddress(pool.gateway)) ?? subnet.base + 1
  if (parsed === gateway) return { message: `${address} is the gateway of network ${network.key}` }
  const reserved = Object.entries(pool.auxAddresses).find(([, other]) => other === address)
  if (reserved !== undefined) return { message: `${address} is kept for ${reserved[0]} (aux_addresses)` }
  const isFree = isUsable({ subnet, gateway, range: undefined }, parsed)
  return isFree ? undefined : { message: `${address} stands for the whole network ${network.key}` }
}

const joinProblems = (project: Project, service: Service, join: ServiceNetwork): readonly Diagnostic[] => {
  const at = (key: string): TreePath => ['services', service.name, 'networks', join.key, key]
  const subject = `service ${service.name}`
  const network = project.networks[join.key]
  const { ipv4Address, macAddress } = join
  const problem = network && ipv4Address !== undefined ? addressProblem(network, ipv4Address) : undefined
  return [
    ...(problem === undefined ? [] : [error(at('ipv4_address'), `${subject}: ${problem.message}`, problem.hint)]),
    ...(ipv4Address !== undefined && service.scale > 1
      ? [error(at('ipv4_address'), `${subject}: ${service.scale} containers cannot have one address ${ipv4Address}`)]
      : []),
    ...(macAddress === undefined || parseMac(macAddress) !== undefined
      ? []
      : [error(at('mac_address'), `${subject}: '${macAddress}' is not a MAC address of one interface`)]),
  ]
}

const macProblems = ({ name, macAddress }: Service): readonly Diagnostic[] =>
  macAddress === undefined || parseMac(macAddress) !== undefined
    ? []
    : [
        error(
          ['services', name, 'mac_address'],
          `service ${name}: '${macAddress}' is not a MAC address of one interface`,
        ),
      ]

/** Two services with one address on one network. */
const sharedAddresses = (services: readonly Service[]): readonly Diagnostic[] => {
  const owners = new Map<string, string>()
  return services.flatMap(({ name, networks }) =>
    networks.flatMap(({ key, ipv4Address }) => {
      if (ipv4Address === undefined) return []
      const owner = owners.get(`${key} ${ipv4Address}`)
      owners.set(`${key} ${ipv4Address}`, name)
      const path = ['services', name, 'networks', key, 'ipv4_address']
      return owner === undefined ? [] : [error(path, `service ${name}: ${ipv4Address} is that of service ${owner}`)]
    }),
  )
}

/** Two networks of one service under one name inside. */
const sharedInterfaces = ({ name, networks }: Service): readonly Diagnostic[] =>
  networks.flatMap(({ key, interfaceName }, index) => {
    const other = networks
      .slice(0, index)
      .find((each) => interfaceName !== undefined && each.interfaceName === interfaceName)
    const path = ['services', name, 'networks', key, 'interface_name']
    return other === undefined ? [] : [error(path, `service ${name}: ${interfaceName} is also network ${other.key}`)]
  })

export const addressConflicts = (project: Project, services: readonly Service[]): readonly Diagnostic[] => [
  ...Object.values(project.networks).flatMap(networkProblems),
  ...services.flatMap((service) => [
    ...service.networks.flatMap((join) => joinProblems(project, service, join)),
    ...macProblems(service),
    ...sharedInterfaces(service),
  ]),
  ...sharedAddresses(services),
]
