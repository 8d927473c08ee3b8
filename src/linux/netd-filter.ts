import type { OciSeccomp } from '../oci/runtime-spec.ts'
import { compileSeccomp } from './seccomp.ts'
import type { Machine } from './syscalls.ts'

const ALLOWED = `
  read write readv writev close fcntl openat2 getdents64 fstat newfstatat lseek
  recvmsg recvfrom recvmmsg sendmsg accept4 shutdown getsockopt setsockopt getsockname
  epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll splice pipe2
  timerfd_create timerfd_settime clock_gettime clock_nanosleep nanosleep getrandom
  munmap mremap madvise brk futex
  exit exit_group rt_sigreturn rt_sigaction rt_sigprocmask restart_syscall getpid gettid tgkill
`
  .trim()
  .split(/\s+/)

const PROT_EXEC = 4n

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
    // Memory of its heap, never code.
    {
      names: ['mmap', 'mprotect'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 2, value: PROT_EXEC, valueTwo: 0n, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    // sendto(fd, buffer, length, flags, NULL, 0): on connected sockets only.
    { names: ['sendto'], action: 'SCMP_ACT_ALLOW', args: [{ index: 4, value: 0n, op: 'SCMP_CMP_EQ' }] },
  ],
}

export const netdFilter = (machine: Machine): Uint8Array => compileSeccomp(NETD, machine)
