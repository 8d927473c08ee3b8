import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'

/** Compares `text` with fixtures/plans/<name>.txt. CAISSON_GOLDEN=write makes it the new one: read the diff before you commit it. */
export const golden = (name: string, text: string): void => {
  const file = fileURLToPath(new URL(`../../fixtures/plans/${name}.txt`, import.meta.url))
  if (process.env.CAISSON_GOLDEN === 'write') writeFileSync(file, text)
  assert.fixture(text, readFileSync(file, 'utf8'))
}
