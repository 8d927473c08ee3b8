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
  /** Scope stop, from network/connect.ts. */
  readonly network: {
    readonly firewall: readonly UndoStep[]
    readonly conntrack: readonly UndoStep[]
    readonly names: readonly UndoStep[]
    /** On addresses and ports. */
    readonly claims: readonly UndoStep[]
  }
  readonly cgroups: readonly string[]
  /** Claims that last as long as the container (its name): absolute paths of the symlinks. */
  readonly claims: readonly string[]
  /** Directories of volumes that go with the container; nothing else removes these. */
  readonly volumes?: readonly string[]
}

const NOTHING = new Uint8Array(0)

const steps = (scope: UndoStep['scope'], kind: UndoStep['kind'], paths: readonly string[]): readonly UndoStep[] =>
  paths.map((path) => ({ scope, kind, path, data: NOTHING }))

export const undoSteps = ({
  container,
  run,
  network,
  cgroups,
  claims,
  volumes = [],
}: Holdings): readonly UndoStep[] => [
  ...network.firewall,
  ...network.conntrack,
  ...network.names,
  ...steps('stop', 'cgroup', cgroups),
  ...network.claims,
  ...steps('stop', 'tree', [container.work]),
  ...steps('remove', 'tree', [container.upper, container.work, container.log, ...volumes]),
  ...steps('remove', 'unlink', [...claims, container.record]),
  ...steps('remove', 'tree', [container.directory]),
  // Last of all: as long as its lock is there, others wait for us instead of taking the container for lost.
  ...steps('stop', 'tree', [run.directory]),
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
