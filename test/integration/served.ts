/** What scenarios that pull begin with: a registry of the test's own in this process, and a folder for what it serves. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import { type FaultyRegistry, startRegistry } from '../image/registry/faulty-registry.ts'
import { cleanUp } from './scenario.ts'

/** Both go after the last test, with what the scenario made. */
export const serve = async (name: string): Promise<{ readonly scratch: string; readonly registry: FaultyRegistry }> => {
  const scratch = mkdtempSync(join(tmpdir(), `caisson-${name}-`))
  const registry = await startRegistry()
  test.after(async () => {
    await registry.close()
    cleanUp()
    rmSync(scratch, { recursive: true, force: true })
  })
  return { scratch, registry }
}
