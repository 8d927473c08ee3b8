import type { LaunchPlan } from '../native/launch-plan.ts'

const NONE: LaunchPlan['health'] = {
  probe: 'none',
  port: 0,
  path: '',
  seccomp: new Uint8Array(),
  intervalMs: 0,
  timeoutMs: 0,
  startPeriodMs: 0,
  startIntervalMs: 0,
  retries: 1,
}

export const lowerHealth = (): LaunchPlan['health'] => NONE
