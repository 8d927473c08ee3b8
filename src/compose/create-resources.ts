/** Limits, shares, devices and logs of a service. */
import type { Node } from './node.ts'
import { get } from './node.ts'
import type { BlockIo, BlockRate, Logging, Resources, ServiceDevice } from './project.ts'
import { flag, items, number, present, size, text, textRecord } from './tree-values.ts'

const rates = (blkio: Node, key: string): readonly BlockRate[] =>
  items(blkio, key).map((item) => ({ device: text(item, 'path') ?? '', rate: size(item, 'rate') ?? 0 }))

const createBlockIo = (node: Node): BlockIo | undefined => {
  const blkio = get(node, 'blkio_config')
  if (blkio?.kind !== 'map') return undefined
  const weight = number(blkio, 'weight')
  return {
    ...(weight === undefined ? {} : { weight }),
    deviceWeights: items(blkio, 'weight_device').map((item) => ({
      device: text(item, 'path') ?? '',
      weight: number(item, 'weight') ?? 0,
    })),
    readBytes: rates(blkio, 'device_read_bps'),
    writeBytes: rates(blkio, 'device_write_bps'),
    readOperations: rates(blkio, 'device_read_iops'),
    writeOperations: rates(blkio, 'device_write_iops'),
  }
}

const RESERVATIONS = ['deploy', 'resources', 'reservations']

export const createResources = (node: Node): Resources =>
  present<Resources>({
    cpuShares: number(node, 'cpu_shares'),
    cpuPeriodUs: number(node, 'cpu_period'),
    cpuQuotaUs: number(node, 'cpu_quota'),
    cpuRealtimePeriodUs: number(node, 'cpu_rt_period'),
    cpuRealtimeRuntimeUs: number(node, 'cpu_rt_runtime'),
    cpuset: text(node, 'cpuset'),
    reservedCpus: number(node, ...RESERVATIONS, 'cpus'),
    memReservationBytes: size(node, 'mem_reservation') ?? size(node, ...RESERVATIONS, 'memory'),
    memswapLimitBytes: size(node, 'memswap_limit'),
    memSwappiness: size(node, 'mem_swappiness'),
    oomKillDisable: flag(node, 'oom_kill_disable'),
    oomScoreAdj: number(node, 'oom_score_adj'),
    blkio: createBlockIo(node),
  })

export const createDevices = (node: Node): readonly ServiceDevice[] =>
  items(node, 'devices').map((device) => {
    const source = text(device, 'source') ?? ''
    return { source, target: text(device, 'target') ?? source, permissions: text(device, 'permissions') ?? 'rwm' }
  })

export const createLogging = (node: Node): Logging | undefined => {
  const logging = get(node, 'logging')
  if (logging?.kind !== 'map') return undefined
  return { driver: text(logging, 'driver'), options: textRecord(get(logging, 'options')) }
}
