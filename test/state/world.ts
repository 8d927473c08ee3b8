/** A state root in a temporary directory, and records to put into it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { containerPaths, type Roots, runPaths } from '../../src/state/layout.ts'
import type { ContainerRecord, Status } from '../../src/state/records.ts'
import { writeNewRecord } from '../../src/state/store.ts'
import { service } from '../plan/models.ts'

export interface Scratch {
  base: string
  roots: Roots
}

export const openScratch = (scratch: Scratch): void => {
  scratch.base = mkdtempSync(join(tmpdir(), 'caisson-state-'))
  scratch.roots = { root: join(scratch.base, 'root'), run: join(scratch.base, 'run') }
}
export const closeScratch = ({ base }: Scratch): void => rmSync(base, { recursive: true, force: true })
export const noScratch: Scratch = { base: '', roots: { root: '', run: '' } }

export const record = (id: string, values: Partial<ContainerRecord> = {}): ContainerRecord => ({
  ...{ version: 1, id, name: `shop-web-${id}`, project: 'shop', service: 'web', number: 1, oneOff: false },
  ...{ configHash: 'h', image: 'caisson/host', imageId: 'i', createdAt: '2026-01-01T00:00:00.000Z' },
  ...{ definition: service('web'), labels: {}, networks: [], volumes: {}, command: [], workingDirectory: '/shop' },
  ...values,
})

export const status = (state: Status['state'], values: Partial<Status> = {}): Status => ({
  ...{ version: 1, state, pid: 0, startedAt: '', finishedAt: '', exitCode: 0, signal: 0, oomKilled: false },
  ...{ restarts: 0, health: 'none', stopped: false, failure: null },
  ...values,
})

export interface Left {
  /** undefined: no run directory. */
  readonly run?: Status | 'bare'
  readonly exit?: Status
  readonly undo?: boolean
}

export const putContainer = (roots: Roots, made: ContainerRecord, { run, exit, undo }: Left = {}): void => {
  const paths = containerPaths(roots, made.id)
  writeNewRecord(paths.record, made)
  if (undo) writeFileSync(paths.undo, '')
  if (exit !== undefined) writeNewRecord(paths.exit, exit)
  if (run === undefined) return
  mkdirSync(runPaths(roots, made.id).directory, { recursive: true })
  if (run !== 'bare') writeNewRecord(runPaths(roots, made.id).status, run)
}
