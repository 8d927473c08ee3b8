/** What the addon exports (native/addon/addon.cc). A test asserts that its keys are these. The only importer of the .node file. */
export interface NativeBinding {
  /** PROTOCOL_VERSION and PLAN_VERSION it was built with, as `protocol.plan`. */
  readonly version: string
  /**
   * vfork and exec of `file` (never fork: Node's heap is large). fds[i] becomes fd i of the child; all others are closed;
   * a new environment. Returns the pid. Throws a SystemFailure-shaped error.
   */
  spawn(file: string, args: readonly string[], env: readonly string[], fds: readonly number[]): number
  /** waitpid(pid, WNOHANG when !block): exit code, or 128 + signal; undefined if it still runs. */
  reap(pid: number, block: boolean): number | undefined
  /** AF_UNIX SOCK_STREAM pair, both ends close-on-exec. */
  socketPair(): [number, number]
  /** Creates (0600) and opens `path`; takes the write lock of that open file description (F_OFD_SETLK), without waiting. undefined: held. */
  lock(path: string): number | undefined
  /** As lock, but waits up to `timeoutMs` on a thread. */
  lockWait(path: string, timeoutMs: number): Promise<number | undefined>
  /** F_OFD_GETLK: whether somebody holds the lock. Takes nothing. A missing file is not held. */
  isLocked(path: string): boolean
  /** Gives the first `bytes` of a file back to the file system; offsets and size stay. false: it cannot. */
  punchHole(path: string, bytes: number): boolean
  /** open(2) O_RDONLY|O_CLOEXEC of a directory or namespace file; the caller closes it. */
  openPath(path: string): number
  /** Content of `path` resolved inside the topmost of `layers` that has it (whiteouts count); undefined if none. openat2(RESOLVE_IN_ROOT), regular files only, at most `maxBytes`. */
  readInRoot(layers: readonly string[], path: string, maxBytes: number): Buffer | undefined

  /**
   * Unpacks the tar archive that comes out of `fd` (a blocking pipe or socket) into the empty directory `root`, on a thread.
   * `layer`: whiteouts become overlayfs's; `lower` are the unpacked layers below it, topmost first. A refused archive is a
   * failure of the step `archive`, with the reason as `syscall` and the entry's name, or '', as `path`.
   */
  unpackArchive(
    fd: number,
    root: string,
    options: { readonly layer: boolean; readonly lower: readonly string[] },
  ): Promise<UnpackedArchive>
  /** What the tar archive in the file `fd` holds, and where; content is passed over. Refuses as unpackArchive. */
  listArchive(fd: number): Promise<ArchiveMember[]>

  /** Netlink socket of `protocol` (0 = NETLINK_ROUTE, 12 = NETLINK_NETFILTER) in network namespace `nsFd`. */
  netlinkSocket(nsFd: number, protocol: number): number
  /** Sends `messages`, collects replies until each message with NLM_F_ACK or a dump has ended. The bytes of all replies, NLMSG_ERROR included. */
  netlinkTalk(socketFd: number, messages: Uint8Array, expectedEnds: number): Promise<Buffer>
  /** Creates the bridge if missing; address, MAC, mtu, up. All idempotent. */
  bridgeEnsure(
    nsFd: number,
    bridge: { name: string; address: Uint8Array; prefixLength: number; mac: Uint8Array; mtu: number },
  ): Promise<void>
  /** RTM_DELLINK; a missing link is fine. Takes up to 35 ms, on a thread. */
  linkDelete(nsFd: number, name: string): Promise<void>
  /** IPv4 destinations of all routing tables and addresses of links: `[address, prefixLength, interface]`. */
  routes(nsFd: number): [Uint8Array, number, string][]
  /** Names of links in the namespace. */
  links(nsFd: number): string[]
  /** Writes /proc/sys/<path> as seen from namespace `nsFd`. */
  networkSysctl(nsFd: number, path: string, value: string): void
  /** Reads it. undefined if there is none. */
  readNetworkSysctl(nsFd: number, path: string): string | undefined
  /**
   * Socket in namespace `nsFd`, SO_MARK `mark`, IPV6_V6ONLY; bound; TCP with SO_REUSEADDR and listening. port 0 = any.
   * Throws EADDRINUSE and the like.
   */
  listen(
    nsFd: number,
    options: { protocol: 'tcp' | 'udp'; address: Uint8Array; port: number; mark: number },
  ): { fd: number; port: number }

  /** Formats CRI log lines (see src/log/). Returns the output and how many input bytes were whole lines. */
  formatLog(input: Uint8Array, options: LogFormat): { stdout: Buffer; stderr: Buffer; consumed: number }
}

export interface UnpackedArchive {
  readonly entries: number
  /** Of file content. */
  readonly bytes: number
  /** What this machine could not take: device nodes by name, attributes as `name (attribute)`. The first hundred. */
  readonly incomplete: readonly string[]
  readonly incompleteCount: number
}

export interface ArchiveMember {
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo'
  /** As it stands in the archive. */
  readonly name: string
  readonly link: string
  /** Bytes from the start of the archive to the content, and of it. */
  readonly offset: number
  readonly size: number
}

export interface LogFormat {
  /** Put before each line, as bytes of UTF-8. */
  readonly prefix: string
  readonly timestamps: boolean
  /** RFC 3339 bounds with nine digits of the second and Z, as the log has them: compared as text. Empty = none. */
  readonly since: string
  readonly until: string
  /** false: all goes to `stdout`, as `docker compose logs` does. */
  readonly separate: boolean
  /**
   * Nothing follows the input (for now): a line whose end is missing comes out as a line of its own. Otherwise it is left
   * for the next call (`consumed` ends before it) unless it is longer than 256 KiB.
   */
  readonly final?: boolean
}
