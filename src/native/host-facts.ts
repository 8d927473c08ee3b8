/** HostFacts: what this machine can do, read once per command (and cheap: under a millisecond). Plain data. */
export interface HostFacts {
  /** `x86_64` or `aarch64`, uname(2). */
  readonly machine: string
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number }
  readonly uid: number
  readonly cpus: number
  /** Numbers of the CPUs that are on: `0-3`; empty: not known. */
  readonly onlineCpus: string
  readonly memoryBytes: number
  readonly cgroup: CgroupFacts
  /** Highest capability the kernel knows, /proc/sys/kernel/cap_last_cap. */
  readonly lastCapability: number
  /** Bit n = capability n is in this process's bounding set; a container cannot get another. */
  readonly boundingCapabilities: bigint
  /** The state root lies on an overlay, so that an overlay upper there is refused. */
  readonly stateOnOverlay: boolean
  readonly ipv6: boolean
  /** Content of /etc/resolv.conf of the NetworkRoot; empty if there is none. */
  readonly resolvConf: string
}

export interface CgroupFacts {
  readonly mode: 'v1' | 'hybrid' | 'v2' | 'none'
  /** v1 controller name (`memory`, `cpu`, `name=systemd` …) to its mount point. Co-mounted ones share it. */
  readonly v1: Readonly<Record<string, string>>
  /** Mount point of the v2 hierarchy, if there is one. */
  readonly v2: string | undefined
  /** Controllers in the v2 root's cgroup.controllers. */
  readonly v2Controllers: readonly string[]
  /** v1 mount points, one each, with the path of this process's own cgroup there (`/` …). */
  readonly own: Readonly<Record<string, string>>
  /** Memory cgroups count swap (v1 memory.memsw.*, v2 memory.swap.max). Absent: not known, and no swap limit is set. */
  readonly swap?: boolean
  /** What weighs block I/O: the BFQ scheduler, the I/O cost controller of v2, or nothing. Absent: not known, as nothing. */
  readonly ioWeight?: 'bfq' | 'cost'
  /** v1 cpu cgroups can have realtime scheduling (CONFIG_RT_GROUP_SCHED). */
  readonly realtime?: boolean
}
