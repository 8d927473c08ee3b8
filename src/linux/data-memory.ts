import type { OciSyscallRule } from '../oci/runtime-spec.ts'

const PROT_EXEC = 4n

/** For programs of ours: memory of a heap, never code. */
export const DATA_MEMORY: OciSyscallRule = {
  names: ['mmap', 'mprotect'],
  action: 'SCMP_ACT_ALLOW',
  args: [{ index: 2, value: PROT_EXEC, valueTwo: 0n, op: 'SCMP_CMP_MASKED_EQ' }],
}
