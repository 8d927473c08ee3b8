import { closeSync, constants, mkdirSync, openSync, writeSync } from 'node:fs'
import { journalFile, type Roots } from './layout.ts'
import type { JournalEvent } from './records.ts'

/** Appends one event: one write(2) with O_APPEND, so lines of several writers never mix. A full disk loses the event, no more. */
export const appendEvent = (roots: Roots, event: Omit<JournalEvent, 'time'>): void => {
  const line = `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`
  try {
    mkdirSync(roots.root, { recursive: true, mode: 0o711 })
    const fd = openSync(journalFile(roots), constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600)
    try {
      writeSync(fd, line)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}
