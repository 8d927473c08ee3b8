/** Undoing what a monitor or a command could not: through the helper, which runs the same list the monitor would have. */
import { closeSync, existsSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { claimPath, listClaims } from '../network/claims.ts'
import { PARENTS } from '../spec/cgroup-path.ts'
import { containerPaths, runPaths, valuesFile } from '../state/layout.ts'
import { removeTree } from '../state/store.ts'
import type { Session } from './session.ts'

type Scope = 'stop' | 'all'

/** 4: state directory, 5: run directory, 7: NetworkRoot (MONITOR_FD). */
const runHelper = async (session: Session, id: string, scope: Scope): Promise<void> => {
  const state = session.binding.openPath(containerPaths(session.roots, id).directory)
  const runDirectory = runPaths(session.roots, id).directory
  const run = existsSync(runDirectory) ? session.binding.openPath(runDirectory) : -1
  try {
    const nothing = session.nothing()
    const fds = [nothing, nothing, nothing, -1, state, run, -1, session.networkRoot().fd]
    const pid = session.binding.spawn(session.monitor(), ['caisson-monitor', 'undo', scope], [], fds)
    await reaped(session, pid)
  } finally {
    closeSync(state)
    if (run !== -1) closeSync(run)
  }
}

/** Waits for a child of ours without blocking the others. */
export const reaped = async (session: Session, pid: number): Promise<number> => {
  for (let pause = 1; ; pause = Math.min(pause * 2, 4)) {
    const status = session.binding.reap(pid, false)
    if (status !== undefined) return status
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

/** Claims of kinds that a run holds, for runs that were cut off before their undo list was written. */
const releaseClaims = (session: Session, id: string, kinds: readonly ('ip' | 'port' | 'name')[]) => {
  for (const kind of kinds) {
    for (const [key, owner] of listClaims(session.roots, kind)) {
      if (owner === id) unlinkSync(claimPath(session.roots, kind, key))
    }
  }
}

/** Ends what is left of a run: its network elements, cgroups, claims, run directory. The container stays. */
export const undoRun = async (session: Session, id: string): Promise<void> => {
  if (existsSync(containerPaths(session.roots, id).undo)) await runHelper(session, id, 'stop')
  releaseClaims(session, id, ['ip', 'port'])
  removeTree(runPaths(session.roots, id).directory)
}

/** Removes a container that does not run, with everything it ever held. */
export const undoContainer = async (session: Session, id: string): Promise<void> => {
  const paths = containerPaths(session.roots, id)
  if (existsSync(paths.undo)) await runHelper(session, id, 'all')
  if (existsSync(paths.directory) || existsSync(runPaths(session.roots, id).directory)) {
    releaseClaims(session, id, ['ip', 'port', 'name'])
    removeTree(runPaths(session.roots, id).directory)
    removeTree(valuesFile(session.roots, id))
    removeTree(paths.directory)
  }
}

const removeEmpty = (path: string) => {
  try {
    rmdirSync(path)
  } catch {
    // Not empty, or not there: somebody else's, or done.
  }
}

/** Groups of `cgroup_parent` that nothing is in any more, the lowest first; containers, which have their mark, are left alone. */
const removeEmptyTree = (path: string): void => {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory() && !entry.name.includes(PARENTS)) removeEmptyTree(`${path}/${entry.name}`)
  } catch {
    return // not there, or gone meanwhile
  }
  removeEmpty(path)
}

/** Top cgroup of all projects, below the root of each hierarchy. */
export const CGROUP_PARENT = 'caisson'

/** Removes the cgroup directories above the containers' own, once a project has none. */
export const removeProjectCgroups = (session: Session, project: string): void => {
  const { cgroup } = session.facts()
  for (const mount of new Set([...Object.values(cgroup.v1), ...(cgroup.v2 === undefined ? [] : [cgroup.v2])])) {
    const top = `${mount}/${CGROUP_PARENT}`
    removeEmptyTree(`${top}/${PARENTS}`)
    for (const path of [`${top}/${project}/monitors`, `${top}/${project}`, top]) removeEmpty(path)
  }
}
