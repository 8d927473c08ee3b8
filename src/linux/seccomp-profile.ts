/**
 * The default seccomp profile: an allow list with the effect of Docker's (moby/profiles seccomp/default.json), grouped by
 * what calls are for. What is absent is refused with EPERM: keyrings, kexec, swap, io_uring, userfaultfd, module loading,
 * namespaces and mounts without CAP_SYS_ADMIN. Departures: TIOCSTI and TIOCLINUX are refused (CVE-2017-5226), and calls of
 * 32-bit programs are (seccomp.ts says why).
 */
import type { OciSeccomp, OciSyscallArgument, OciSyscallRule } from '../oci/runtime-spec.ts'
import { capabilitySet } from './capabilities.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

const ALWAYS = words(`
  read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range dup dup2 dup3 fcntl
  open openat openat2 creat access faccessat faccessat2 name_to_handle_at fallocate fadvise64 readahead
  copy_file_range sendfile splice tee vmsplice truncate ftruncate flock sync syncfs fsync fdatasync sync_file_range

  stat fstat lstat newfstatat statx statfs fstatfs statmount listmount getdents getdents64 getcwd chdir fchdir
  chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat umask utime utimes futimesat utimensat
  mkdir mkdirat mknod mknodat rmdir link linkat symlink symlinkat unlink unlinkat readlink readlinkat
  rename renameat renameat2 getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat
  listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark

  pipe pipe2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
  epoll_ctl_old epoll_wait_old eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_gettime
  io_setup io_submit io_cancel io_destroy io_getevents io_pgetevents ioprio_get ioprio_set

  connect accept accept4 bind listen shutdown socketpair getsockname getpeername getsockopt setsockopt
  sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg

  mmap munmap mremap mprotect brk madvise mincore msync mlock mlock2 mlockall munlock munlockall mseal
  remap_file_pages membarrier memfd_create memfd_secret map_shadow_stack pkey_alloc pkey_free pkey_mprotect
  cachestat process_mrelease shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
  mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr

  fork vfork execve execveat exit exit_group wait4 waitid pidfd_open pidfd_send_signal prctl arch_prctl modify_ldt
  set_thread_area get_thread_area set_tid_address set_robust_list get_robust_list rseq futex futex_wait futex_wake
  futex_waitv futex_requeue ptrace process_vm_readv process_vm_writev getrlimit setrlimit prlimit64 getrusage
  getpid getppid gettid getpgid setpgid getpgrp getsid setsid getpriority setpriority uname sysinfo times getrandom
  getcpu sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler
  sched_setscheduler sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval
  seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self uretprobe

  getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid setresgid
  setfsuid setfsgid setgroups capget capset

  kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigreturn
  rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack pause restart_syscall

  time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep alarm getitimer setitimer
  timer_create timer_settime timer_gettime timer_getoverrun timer_delete adjtimex clock_adjtime
`)

/** What each capability adds. The kernel checks the capability too; the filter only narrows the surface. */
const BY_CAPABILITY: Readonly<Record<string, readonly string[]>> = {
  DAC_READ_SEARCH: ['open_by_handle_at'],
  SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
    sethostname setns syslog umount2 unshare`),
  SYS_BOOT: ['reboot'],
  SYS_CHROOT: ['chroot'],
  SYS_MODULE: ['delete_module', 'init_module', 'finit_module'],
  SYS_PACCT: ['acct'],
  SYS_PTRACE: ['kcmp', 'pidfd_getfd', 'process_madvise'],
  SYS_RAWIO: ['iopl', 'ioperm'],
  SYS_TIME: ['settimeofday', 'clock_settime'],
  SYS_TTY_CONFIG: ['vhangup'],
  SYS_NICE: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
  SYSLOG: ['syslog'],
  BPF: ['bpf'],
  PERFMON: ['perf_event_open'],
}

const ENOSYS = 38
const UINT32 = 0xffffffffn

const allow = (names: readonly string[], ...args: OciSyscallArgument[]): OciSyscallRule => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  ...(args.length === 0 ? {} : { args }),
})
const first = (value: number, op: OciSyscallArgument['op']): OciSyscallArgument => ({
  index: 0,
  value: BigInt(value),
  op,
})

/** Address families, inclusive ranges: without DECnet, ECONET, ATMSVC, IRDA, WANPIPE, ISDN, CAIF, ALG (38) and VSOCK (40). */
const FAMILIES: readonly (readonly [number, number])[] = [
  [0, 11],
  [13, 18],
  [21, 22],
  [24, 24],
  [26, 33],
  [35, 36],
  [39, 39],
  [41, 45],
]
const socketRules = FAMILIES.map(([from, to]) =>
  allow(['socket'], ...(from > 0 ? [first(from, 'SCMP_CMP_GE')] : []), first(to, 'SCMP_CMP_LE')),
)

/** PER_LINUX, PER_LINUX32, each with UNAME26, and the query. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]
const personalityRules = PERSONALITIES.map((value) => allow(['personality'], first(value, 'SCMP_CMP_EQ')))

/** Every CLONE_NEW* but NEWTIME, which clone(2) cannot ask for. */
const CLONE_NAMESPACES = 0x7e020000n
const cloneRules: readonly OciSyscallRule[] = [
  allow(['clone'], { index: 0, value: CLONE_NAMESPACES, valueTwo: 0n, op: 'SCMP_CMP_MASKED_EQ' }),
  // Its flags lie in memory, out of a filter's sight: libraries fall back to clone.
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
]

/** Commands that put words into a terminal's input. The kernel reads 32 bits of the argument; so must the filter. */
const TERMINAL_INPUT = { TIOCSTI: 0x5412n, TIOCLINUX: 0x541cn }
const ioctlRules: readonly OciSyscallRule[] = [
  ...Object.values(TERMINAL_INPUT).map(
    (command): OciSyscallRule => ({
      names: ['ioctl'],
      action: 'SCMP_ACT_ERRNO',
      args: [{ index: 1, value: UINT32, valueTwo: command, op: 'SCMP_CMP_MASKED_EQ' }],
    }),
  ),
  allow(['ioctl']),
]

const makeProfile = (capabilities: bigint): OciSeccomp => {
  const granted = Object.keys(BY_CAPABILITY).filter((name) => capabilities & capabilitySet([name]))
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
    syscalls: [
      allow(ALWAYS),
      ...socketRules,
      ...personalityRules,
      ...ioctlRules,
      ...granted.map((name) => allow(BY_CAPABILITY[name] ?? [])),
      ...(granted.includes('SYS_ADMIN') ? [] : cloneRules),
    ],
  }
}

const profiles = new Map<bigint, OciSeccomp>()

/** The profile for a process whose bounding set is `capabilities` (bit n = capability n). One object for each set. */
export const defaultProfile = (capabilities: bigint): OciSeccomp => {
  const profile = profiles.get(capabilities) ?? makeProfile(capabilities)
  profiles.set(capabilities, profile)
  return profile
}
