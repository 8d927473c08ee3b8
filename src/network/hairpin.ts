/**
 * Hairpin mode of bridge ports. With bridge-nf-call-iptables=1 (Docker sets it) the kernel applies DNAT while a frame is
 * still in the bridge; a container's packet to its own published port then has to leave by the port it came by, which a
 * bridge only does in this mode. Without that sysctl such packets are routed, and the mode, which also sends broadcasts
 * back to their sender, stays off.
 */
import { closeSync } from 'node:fs'
import { systemError } from '../native/failure.ts'
import { errnoOf, NetlinkWriter, NLM_F, readMessages } from '../linux/netlink.ts'
import type { NetworkRoot } from './network-root.ts'

const NETLINK_ROUTE = 0
const RTM_NEWLINK = 16
const IFLA = { name: 3, linkInfo: 18, slaveKind: 4, slaveData: 5 } as const
const IFLA_BRPORT_MODE = 4
/** `struct ifinfomsg`, all zero: the link is found by name. */
const LINK_HEADER = Array<number>(16).fill(0)
const BRIDGE_FILTER = 'net/bridge/bridge-nf-call-iptables'

/** `ip link set <name> type bridge_slave hairpin on`. */
const setHairpin = (name: string): Buffer => {
  const out = new NetlinkWriter()
  out.message({ type: RTM_NEWLINK, flags: NLM_F.request | NLM_F.ack, sequence: 1 }, () => {
    out.raw(...LINK_HEADER)
    out.text(IFLA.name, name)
    out.nest(IFLA.linkInfo, () => {
      out.text(IFLA.slaveKind, 'bridge')
      out.nest(IFLA.slaveData, () => out.attribute(IFLA_BRPORT_MODE, Buffer.from([1])))
    })
  })
  return out.bytes()
}

const exchange = async (root: NetworkRoot, name: string): Promise<void> => {
  const socket = root.binding.netlinkSocket(root.fd, NETLINK_ROUTE)
  try {
    for (const message of readMessages(await root.binding.netlinkTalk(socket, setHairpin(name), 1))) {
      const errno = errnoOf(message)
      if (errno) throw systemError({ step: 'network', syscall: 'RTM_NEWLINK', errno, path: name })
    }
  } finally {
    closeSync(socket)
  }
}

/** What of a Connection counts here. */
interface Published {
  readonly network: { readonly endpoints: readonly { readonly hostName: string }[] }
  readonly publications: readonly unknown[]
}

/** To be called once the container's links are there (`created`), where it publishes ports. Throws SystemError. */
export const allowHairpin = async (root: NetworkRoot, { network, publications }: Published): Promise<void> => {
  if (publications.length === 0 || root.binding.readNetworkSysctl(root.fd, BRIDGE_FILTER)?.trim() !== '1') return
  for (const { hostName } of network.endpoints) await exchange(root, hostName)
}
