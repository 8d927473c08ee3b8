/**
 * The undo list of a container: what the monitor runs when it ends, and any command where the monitor could not. Each step
 * may find its work already done. The order matters: an address is given back only when nothing points at it any more,
 * else a stale DNAT element would lead to somebody else's container.
 */
import { encode } from '../native/encode.ts'
import { MAGIC, PLAN_VERSION, type UndoStep, undoList } from '../native/launch-plan.ts'
import type { ContainerPaths, RunPaths } from './layout.ts'

/** What one run and its container hold, in undo terms. */
export interface Holdings {
  readonly id: string
  readonly container: ContainerPaths
  readonly run: RunPaths
  /** nf_tables batches, one element each. */
  readonly firewall: readonly Uint8Array[]
  /** IPv4 addresses whose conntrack entries go. */
  readonly addresses: readonly Uint8Array[]
  /** Files networks/<id>/names/<name>/<ip>. */
  readonly names: readonly string[]
  /** Host ends of its veth pairs. */
  readonly links: readonly string[]
  readonly cgroups: readonly string[]
  /** Claims on addresses and ports: absolute paths of the symlinks. */
  readonly runClaims: readonly string[]
  /** Claims that last as long as the container: its name. */
  readonly claims: readonly string[]
}

const NOTHING = new Uint8Array(0)
type Scope = UndoStep['scope']

const steps = (scope: Scope, kind: UndoStep['kind'], paths: readonly string[]): readonly UndoStep[] =>
  paths.map((path) => ({ scope, kind, path, data: NOTHING }))
const dataSteps = (scope: Scope, kind: UndoStep['kind'], items: readonly Uint8Array[]): readonly UndoStep[] =>
  items.map((data) => ({ scope, kind, path: '', data }))

/** Directory of each path, without repetition. */
const parents = (paths: readonly string[]) => [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))))]

export const undoSteps = (held: Holdings): readonly UndoStep[] => [
  ...dataSteps('stop', 'firewall', held.firewall),
  ...dataSteps('stop', 'conntrack', held.addresses),
  ...steps('stop', 'unlink', held.names),
  ...steps('stop', 'rmdir', parents(held.names)),
  ...steps('stop', 'link', held.links),
  ...steps('stop', 'cgroup', held.cgroups),
  ...steps('stop', 'unlink', held.runClaims),
  ...steps('stop', 'tree', [held.container.work]),
  ...steps('stop', 'tree', [held.run.directory]),
  ...steps('remove', 'tree', [held.container.upper, held.container.work, held.container.log]),
  ...steps('remove', 'unlink', [...held.claims, held.container.record]),
  ...steps('remove', 'tree', [held.container.directory]),
]

const header = (magic: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(PLAN_VERSION, 4)
  return bytes
}

/** Content of the file `undo`. */
export const encodeUndo = (held: Holdings): Buffer =>
  Buffer.concat([header(MAGIC.undo), encode(undoList, { id: held.id, steps: undoSteps(held) })])
