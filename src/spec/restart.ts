import type { Service } from '../compose/project.ts'
import type { LaunchPlan } from '../native/launch-plan.ts'
import type { Extension, RuntimeSpec } from '../oci/runtime-spec.ts'

/** Shortest pause before a restart, Docker's first: a crash loop must not take a processor. */
const SHORTEST_DELAY_MS = 100
/** A run of this length counts as a success where nothing else is said. */
const WINDOW_MS = 10_000

export const restartOf = ({ restart }: Service): Extension['restart'] => ({
  policy: restart?.policy ?? 'no',
  maximumRetries: restart?.maximumRetries ?? 0,
  ...(restart?.delayMs === undefined ? {} : { delayMs: restart.delayMs }),
  ...(restart?.windowMs === undefined ? {} : { windowMs: restart.windowMs }),
})

const POLICIES = { no: 'no', always: 'always', 'on-failure': 'onFailure', 'unless-stopped': 'unlessStopped' } as const

/** What may configure its network keeps nothing of it over a restart: links and rules that it made would be in its way. */
const changesNetwork = ({ process, caisson }: RuntimeSpec): boolean =>
  caisson.networkMode !== 'host' &&
  caisson.networkMode !== 'joined' &&
  process.capabilities.bounding.includes('CAP_NET_ADMIN')

export const lowerRestart = (spec: RuntimeSpec): LaunchPlan['restart'] => {
  const { policy, maximumRetries, delayMs, windowMs } = spec.caisson.restart
  return {
    policy: POLICIES[policy],
    maximumRetries,
    delayMs: delayMs === undefined ? 0 : Math.max(delayMs, SHORTEST_DELAY_MS),
    windowMs: windowMs || WINDOW_MS,
    freshNetwork: policy !== 'no' && changesNetwork(spec),
  }
}
