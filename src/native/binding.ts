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
  /**
   * Creates (0600) and opens `path`; takes the lock of that open file description (F_OFD_SETLK), without waiting: to write, or
   * `shared` with other readers. undefined: held.
   */
  lock(path: string, shared?: boolean): number | undefined
  /** As lock, but waits up to `timeoutMs` on a thread. */
  lockWait(path: string, timeoutMs: number, shared?: boolean): Promise<number | undefined>
  /** F_OFD_GETLK: whether somebody holds the lock. Takes nothing. A missing file is not held. */
  isLocked(path: string): boolean
  /** Gives the first `bytes` of a file back to the file system; offsets and size stay. false: it cannot. */
  punchHole(path: string, bytes: number): boolean
  /** open(2) O_RDONLY|O_CLOEXEC of a directory or namespace file; the caller closes it. */
  openPath(path: string): number
  /** Content of `path` resolved inside the topmost of `layers` that has it (whiteouts count); undefined if none. openat2(RESOLVE_IN_ROOT), regular files only, at most `maxBytes`. */
  readInRoot(layers: readonly string[], path: string, maxBytes: number): Buffer | undefined

  /** Gives parents that an unsettled layer in `root` does not name what `lower`, topmost first, says of them. */
  settleLayer(root: string, implied: readonly string[], lower: readonly string[]): Promise<void>
  /** A blob on its way into the store, on threads of its own (native/ingest). */
  openIngest(
    options: IngestOptions,
    /** There is room again after `write` returned false. */
    onRoom: () => void,
  ): NativeIngest
  /** What the tar archive in the file `fd` holds, and where; content is passed over. A refused archive is a failure of the step `archive`, with the reason as `syscall` and the entry's name, or '', as `path`. */
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
  /** Parents that an unsettled layer does not name: for settleLayer. */
  readonly implied: readonly string[]
}

export interface IngestOptions {
  readonly algorithm: 'sha256' | 'sha512'
  /** File to keep the blob in; its first `prefix` bytes are there already and are read from it. undefined: it is not kept. */
  readonly blob: string | undefined
  readonly prefix: number
  /** Bytes that it may have at most: more is EFBIG. */
  readonly limit: number
  /** Borrowed: the blob is this part of a file, and `write` is not called. */
  readonly file?: { readonly fd: number; readonly offset: number; readonly size: number } | undefined
  /** Empty directory to unpack into; undefined: it is only kept. */
  readonly root: string | undefined
  /** Whether whiteouts become overlayfs's. */
  readonly layer: boolean
  /** Unpacked layers below it, topmost first; undefined: they are not known yet, and the layer is to be settled. */
  readonly lower: readonly string[] | undefined
}

export interface NativeIngest {
  /** Copies the bytes. false: wait for onRoom before the next; undefined: it is over, `end` says why. */
  write(bytes: Uint8Array): boolean | undefined
  /** Nothing follows. Rejected with a SystemFailure-shaped error if the blob could not be read or kept. */
  end(): Promise<IngestedBlob>
}

export interface IngestedBlob {
  /** Hex, of the blob as stored. */
  readonly digest: string
  readonly size: number
  /** Hex of the sha256 of the content without compression; undefined where `root` is. */
  readonly diffId: string | undefined
  readonly unpacked: UnpackedArchive | undefined
  /** Instead of them: a failure as of listArchive, or of a system call. */
  readonly refused: Error | undefined
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
