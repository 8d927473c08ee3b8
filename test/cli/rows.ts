/** A container as the engine tells it; what is not said has its default. */
import type { ContainerRow } from '../../src/index.ts'

export const row = (values: Partial<ContainerRow> = {}): ContainerRow => ({
  ...{ id: '0123456789ab', name: 'shop-web-1', image: 'caisson/host', command: ['sleep', '60'], project: 'shop' },
  ...{ service: 'web', number: 1, oneOff: false, createdAt: 0, startedAt: 0, finishedAt: 0, state: 'running' },
  ...{ health: 'none', restarts: 0, exitCode: 0, signal: 0, oomKilled: false, pid: 7, publishers: [], exposed: [] },
  ...{ labels: {}, mounts: [], networks: [], localVolumes: 0, hostNetwork: false },
  ...values,
})
