import type { OciSeccomp } from '../oci/runtime-spec.ts'
import { DATA_MEMORY } from './data-memory.ts'
import { compileSeccomp } from './seccomp.ts'
import type { Machine } from './syscalls.ts'

const AF_INET = 2n
const AF_INET6 = 10n

/** The last line is for malloc, and for an abort that can be seen. */
const ALLOWED = `
  connect read write close exit_group rt_sigreturn restart_syscall
  munmap mremap madvise brk futex writev rt_sigaction rt_sigprocmask getpid gettid tgkill getrandom clock_gettime fstat newfstatat
`
  .trim()
  .split(/\s+/)

const socketOf = (family: bigint) => ({
  names: ['socket'],
  action: 'SCMP_ACT_ALLOW' as const,
  args: [{ index: 0, value: family, valueTwo: 0n, op: 'SCMP_CMP_EQ' as const }],
})

/** What the helper of a tcp or http probe may do: connect, write, read. No file opens, nothing starts. */
const PROBE: OciSeccomp = {
  defaultAction: 'SCMP_ACT_KILL_PROCESS',
  defaultErrnoRet: 1,
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
  syscalls: [{ names: ALLOWED, action: 'SCMP_ACT_ALLOW' }, DATA_MEMORY, socketOf(AF_INET), socketOf(AF_INET6)],
}

export const probeFilter = (machine: Machine): Uint8Array => compileSeccomp(PROBE, machine)
