/** Which process has a port, as /proc tells: for the one error that a user wants to know it in. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** States of /proc/net that keep a port: TCP_LISTEN, and TCP_CLOSE, which is what an unconnected UDP socket shows. */
const HOLDING = { tcp: '0A', udp: '07' } as const
/** Index of the column in /proc/net/{tcp,udp}{,6}. */
const COLUMN = { local: 1, state: 3, inode: 9 } as const

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const list = (path: string): readonly string[] => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Inodes of the sockets that hold `port` in the text of one of these files. */
export const holdingInodes = (text: string, protocol: 'tcp' | 'udp', port: number): readonly string[] => {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/)
    const inode = columns[COLUMN.inode]
    const holds = columns[COLUMN.local]?.endsWith(suffix) && columns[COLUMN.state] === HOLDING[protocol]
    return holds && inode !== undefined && inode !== '0' ? [inode] : []
  })
}

const hasSocket = (pid: string, inodes: ReadonlySet<string>): boolean =>
  list(`/proc/${pid}/fd`).some((fd) => {
    try {
      return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))
    } catch {
      return false
    }
  })

/** `nginx (pid 812)`. undefined: nobody that this process may look at. */
export const portHolder = (protocol: 'tcp' | 'udp', port: number): string | undefined => {
  const files = [`/proc/net/${protocol}`, `/proc/net/${protocol}6`]
  const inodes = new Set(
    files.flatMap((file) => holdingInodes(readText(file), protocol, port)).map((inode) => `socket:[${inode}]`),
  )
  if (inodes.size === 0) return undefined
  const pid = list('/proc').find((name) => /^\d+$/.test(name) && hasSocket(name, inodes))
  return pid === undefined ? undefined : `${readText(`/proc/${pid}/comm`).trim()} (pid ${pid})`
}
