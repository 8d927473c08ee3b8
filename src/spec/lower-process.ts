import { CaissonError } from '../errors.ts'
import { capabilitySet } from '../linux/capabilities.ts'
import { RLIM_INFINITY, rlimitNumber } from '../linux/rlimits.ts'
import { compileSeccomp } from '../linux/seccomp.ts'
import { isMachine, type Machine } from '../linux/syscalls.ts'
import type { ProcessPlan } from '../native/launch-plan.ts'
import type { OciRlimit, OciSeccomp, RuntimeSpec } from '../oci/runtime-spec.ts'

const limit = (value: number): bigint => (value < 0 ? RLIM_INFINITY : BigInt(value))

const lowerRlimits = (rlimits: readonly OciRlimit[]): ProcessPlan['rlimits'] =>
  rlimits.flatMap(({ type, soft, hard }) => {
    const resource = rlimitNumber(type)
    return resource === undefined ? [] : [{ resource, soft: limit(soft), hard: limit(hard) }]
  })

/** The machine as the system call tables name it. Throws CaissonError EMACHINE. */
export const knownMachine = (machine: string): Machine => {
  if (isMachine(machine)) return machine
  throw new CaissonError('EMACHINE', `no system call table for '${machine}': x86_64 and aarch64 are supported`)
}

const lowerSeccomp = (profile: OciSeccomp | undefined, machine: string): Uint8Array =>
  profile === undefined ? new Uint8Array() : compileSeccomp(profile, knownMachine(machine))

/** What `lowerProcess` reads of a RuntimeSpec; `exec` has no more. */
export type ProcessSpec = Pick<RuntimeSpec, 'process'> & {
  readonly linux: Pick<RuntimeSpec['linux'], 'seccomp'>
  readonly caisson: Pick<RuntimeSpec['caisson'], 'id'>
}

export const lowerProcess = ({ process, linux, caisson }: ProcessSpec, machine: string): ProcessPlan => {
  const { bounding, permitted, effective, inheritable, ambient } = process.capabilities
  return {
    args: process.args,
    env: process.env,
    cwd: process.cwd,
    uid: process.user.uid,
    gid: process.user.gid,
    groups: process.user.additionalGids,
    umask: process.user.umask,
    capabilities: {
      bounding: capabilitySet(bounding),
      permitted: capabilitySet(permitted),
      effective: capabilitySet(effective),
      inheritable: capabilitySet(inheritable),
      ambient: capabilitySet(ambient),
    },
    rlimits: lowerRlimits(process.rlimits),
    oomScoreAdj: process.oomScoreAdj ?? 0,
    setOomScoreAdj: process.oomScoreAdj !== undefined,
    noNewPrivileges: process.noNewPrivileges,
    seccomp: lowerSeccomp(linux.seccomp, machine),
    keyring: `_ses.${caisson.id}`,
    tty: process.terminal,
    rows: process.consoleSize?.height ?? 0,
    columns: process.consoleSize?.width ?? 0,
  }
}
