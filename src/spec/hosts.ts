/** Texts of the files that are generated for a container. */

export interface HostsInput {
  /** As `hostnameOf` gives it; empty: no line of its own. */
  readonly hostname: string
  readonly domainname: string | undefined
  /** Own addresses, in the order of the networks. */
  readonly addresses: readonly string[]
  /** Name to addresses. `host-gateway` stands for `gateway`. */
  readonly extraHosts: Readonly<Record<string, readonly string[]>>
  /** Address of the host as the container sees it; undefined: it sees none, and `host-gateway` is left out. */
  readonly gateway: string | undefined
}

const LOCAL: readonly (readonly [string, string])[] = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
]

/** /etc/hosts */
export const hostsText = (input: HostsInput): string => {
  const { hostname, domainname, gateway } = input
  const names = domainname ? `${hostname}.${domainname} ${hostname}` : hostname
  const extra = Object.entries(input.extraHosts).flatMap(([name, addresses]) =>
    addresses.flatMap((address): [string, string][] => {
      const resolved = address === 'host-gateway' ? gateway : address
      return resolved === undefined ? [] : [[resolved, name]]
    }),
  )
  const own = hostname === '' ? [] : input.addresses.map((address): [string, string] => [address, names])
  return [...LOCAL, ...extra, ...own].map(([address, name]) => `${address}\t${name}\n`).join('')
}

/** /etc/hostname */
export const hostnameText = (hostname: string): string => (hostname === '' ? '' : `${hostname}\n`)
