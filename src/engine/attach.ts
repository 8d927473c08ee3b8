/** attach: to the stdio of a container that runs. */
import { CaissonError } from '../errors.ts'
import { MonitorClient } from '../monitor/client.ts'
import { runPaths } from '../state/layout.ts'
import { attachment } from './attachment.ts'
import { runningReplica } from './ps.ts'
import type { Attached, AttachOptions } from './process-types.ts'
import type { EngineOptions } from './types.ts'

export const attach = async (engine: EngineOptions, project: string, options: AttachOptions): Promise<Attached> => {
  const { record } = runningReplica(engine, project, options.service, options.index)
  const monitor = await MonitorClient.connect(runPaths(engine, record.id).control)
  const { state } = await monitor.hello
  if (state === 'running' || state === 'restarting') return attachment(record, monitor, false)
  monitor.close()
  throw new CaissonError('ENOTRUNNING', `container ${record.name} is ${state}`)
}
