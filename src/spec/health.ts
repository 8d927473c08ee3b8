import type { Healthcheck, HealthTest, Service } from '../compose/project.ts'
import { probeFilter } from '../linux/probe-filter.ts'
import type { LaunchPlan } from '../native/launch-plan.ts'
import type { ImageConfig } from '../oci/image-config.ts'
import type { Extension, RuntimeSpec } from '../oci/runtime-spec.ts'
import { knownMachine } from './lower-process.ts'

/** Docker's. */
const DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3 }

const DEFAULT_SHELL = ['/bin/sh', '-c']

/** An image's test in Docker's form: `NONE`; `CMD` and words; `CMD-SHELL` and a line. */
const imageTest = ([kind, ...words]: readonly string[]): HealthTest | undefined => {
  if (kind === undefined) return undefined
  if (kind === 'NONE') return { kind: 'none' }
  return kind === 'CMD-SHELL' ? { kind: 'shell', line: words.join(' ') } : { kind: 'command', args: words }
}

/** What the service does not say, its image says; 0 says nothing (Docker's rule). */
const merged = (own: Healthcheck | undefined, ofImage: ImageConfig['healthcheck']) => {
  const test = own?.test ?? imageTest(ofImage?.test ?? [])
  const milliseconds = (key: 'intervalMs' | 'timeoutMs' | 'startPeriodMs' | 'startIntervalMs' | 'retries') =>
    own?.[key] || ofImage?.[key] || 0
  return { test, milliseconds }
}

/** undefined: the container has no health. */
export const healthOf = (service: Service, image: ImageConfig): Extension['health'] => {
  const { test, milliseconds } = merged(service.healthcheck, image.healthcheck)
  if (test === undefined || test.kind === 'none') return undefined
  return {
    test:
      test.kind === 'shell'
        ? { kind: 'command', args: [...(image.shell?.length ? image.shell : DEFAULT_SHELL), test.line] }
        : test,
    intervalMs: milliseconds('intervalMs') || DEFAULTS.intervalMs,
    timeoutMs: milliseconds('timeoutMs') || DEFAULTS.timeoutMs,
    startPeriodMs: milliseconds('startPeriodMs'),
    startIntervalMs: milliseconds('startIntervalMs'),
    retries: milliseconds('retries') || DEFAULTS.retries,
  }
}

const nothing = new Uint8Array()

export const lowerHealth = (health: RuntimeSpec['caisson']['health'], machine: string): LaunchPlan['health'] => {
  if (health === undefined) {
    const times = { intervalMs: 0, timeoutMs: 0, startPeriodMs: 0, startIntervalMs: 0, retries: 1 }
    return { probe: 'none', port: 0, path: '', seccomp: nothing, ...times }
  }
  const { test, ...times } = health
  return {
    probe: test.kind,
    port: test.kind === 'command' ? 0 : test.port,
    path: test.kind === 'http' ? test.path : '',
    seccomp: test.kind === 'command' ? nothing : probeFilter(knownMachine(machine)),
    ...times,
  }
}
