import type { HostFacts } from '../native/host-facts.ts'
import type { LaunchPlan } from '../native/launch-plan.ts'
import type { RuntimeSpec } from '../oci/runtime-spec.ts'
import type { Allocation } from './allocation.ts'

/** RuntimeSpec → LaunchPlan: names become numbers, filters become bytes, cgroup limits become files of this host. Pure. */
export const lower = (_spec: RuntimeSpec, _allocation: Allocation, _facts: HostFacts): LaunchPlan => {
  throw new Error('not yet')
}
