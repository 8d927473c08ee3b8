/** Attachment: a running container's stdio over its monitor's control socket. The bytes are the user interface's business. */
import type { MonitorClient } from '../monitor/client.ts'
import type { ContainerRecord } from '../state/records.ts'
import { systemError } from '../native/failure.ts'
import { MonitorFailure } from '../monitor/client.ts'
import type { Attached } from './process-types.ts'

/** A failed start is told by whoever started it; here it is only the end. */
const told = (error: unknown): unknown => (error instanceof MonitorFailure ? systemError(error.failure, error) : error)

/** `isOwner`: the process belongs to this command, which started it. */
export const attachment = (record: ContainerRecord, monitor: MonitorClient, isOwner: boolean): Attached => ({
  name: record.name,
  tty: record.definition.tty,
  takesStdin: record.definition.stdinOpen || record.definition.tty,
  async listen(onOutput, stdin) {
    try {
      return await monitor.attach({ stdin, onOutput, isOwner })
    } catch (error) {
      throw told(error)
    }
  },
  send: (data) => monitor.sendStdin(data),
  endStdin: () => monitor.endStdin(),
  resize: (rows, columns) => monitor.resize(rows, columns),
  signal: (signal) => monitor.signal(signal),
  async stop() {
    await monitor.stop()
  },
  pause: () => monitor.pauseReading(),
  resume: () => monitor.resumeReading(),
  close: () => monitor.close(),
})
