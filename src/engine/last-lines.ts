/** What containers wrote last: for those who tell how a service failed. */
import { readLogs } from '../log/read.ts'
import { loadNative } from '../native/load.ts'
import { containerPaths } from '../state/layout.ts'
import { readContainer } from '../state/snapshot.ts'
import { isAlive } from './ps.ts'
import type { EngineOptions, LastLines } from './types.ts'

const linesOf = (parts: readonly Buffer[], count: number): readonly string[] =>
  Buffer.concat(parts)
    .toString('utf8')
    .split('\n')
    .filter((line, index, all) => line !== '' || index < all.length - 1)
    .slice(-count)

/** Of its last run; it may end while it is read. */
const linesOfOne = (engine: EngineOptions, id: string, count: number): LastLines => {
  const since = readContainer(engine, id, isAlive)?.status?.startedAt ?? ''
  const input = { source: id, directory: containerPaths(engine, id).log, prefix: '' }
  const request = { since, until: '', tail: count, timestamps: false, separate: true, grep: undefined }
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
  for (const part of readLogs(loadNative(), [input], request)) {
    if (part.kind !== 'output') continue
    stdout.push(part.stdout)
    stderr.push(part.stderr)
  }
  return { stdout: linesOf(stdout, count), stderr: linesOf(stderr, count) }
}

export const lastLines = async (
  engine: EngineOptions,
  ids: readonly string[],
  count: number,
): Promise<ReadonlyMap<string, LastLines>> => new Map(ids.map((id) => [id, linesOfOne(engine, id, count)]))
