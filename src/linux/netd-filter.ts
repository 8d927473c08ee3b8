import type { OciSeccomp } from '../oci/runtime-spec.ts'
import { DATA_MEMORY } from './data-memory.ts'
import { compileSeccomp } from './seccomp.ts'
import type { Machine } from './syscalls.ts'

/** The last two lines are for malloc, and for an abort that can be seen. */
const ALLOWED = `
  epoll_ctl epoll_wait epoll_pwait accept4 recvfrom recvmsg shutdown getsockopt splice pipe2
  openat2 getdents64 read clock_gettime getrandom restart_syscall exit_group
  munmap mremap madvise brk futex
  write writev rt_sigaction rt_sigprocmask rt_sigreturn getpid gettid tgkill
`
  .trim()
  .split(/\s+/)

/** NETD_FD in native/netd/broker.h. */
const UDP_FD = 3n
const LAST_FIXED_FD = 6n

/**
 * What netd may do: answer on sockets that it was given. It makes none, connects none and sends to an address only as an
 * answer. Anything else kills it; the monitor starts another.
 */
const NETD: OciSeccomp = {
  defaultAction: 'SCMP_ACT_KILL_PROCESS',
  defaultErrnoRet: 1,
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
  syscalls: [
    { names: ALLOWED, action: 'SCMP_ACT_ALLOW' },
    DATA_MEMORY,
    // An address only on the server's own socket, whose number nothing else can get: an upstream socket, which belongs to
    // the NetworkRoot, speaks to its upstream alone.
    { names: ['sendmsg'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: UDP_FD, op: 'SCMP_CMP_EQ' }] },
    { names: ['close'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: LAST_FIXED_FD, op: 'SCMP_CMP_GT' }] },
    // sendto(fd, buffer, length, flags, NULL, 0): on connected sockets only.
    { names: ['sendto'], action: 'SCMP_ACT_ALLOW', args: [{ index: 4, value: 0n, op: 'SCMP_CMP_EQ' }] },
  ],
}

export const netdFilter = (machine: Machine): Uint8Array => compileSeccomp(NETD, machine)
