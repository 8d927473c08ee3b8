/** What tests of the image store begin with: a store of their own, two layers, and archives that are loaded into it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type Test } from 'uvu'
import { type LoadOptions, type Loaded, loadArchive } from '../../src/image/load.ts'
import { archive } from './archive.ts'

export interface Place {
  /** For files of the test; goes with it. */
  base: string
  /** $CAISSON_ROOT */
  root: string
}

export const storeSuite = (name: string): Test<Place> => {
  const test = suite<Place>(name, { base: '', root: '' })
  test.before.each((place) => {
    place.base = mkdtempSync(join(tmpdir(), `caisson-${name}-`))
    place.root = join(place.base, 'state')
  })
  test.after.each(({ base }) => rmSync(base, { recursive: true }))
  return test
}

/** Who owns the entries: whoever runs the tests, so that they need no root. */
export const uid = process.getuid?.() ?? 0
export const bottom = archive([{ name: 'etc/hello', body: 'hello', uid }])
export const top = archive([{ name: 'etc/world', body: 'worldworld', uid }])

/** A descriptor as an index calls it. */
export const named = (descriptor: object, name: string) => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': name },
})

export const load = (place: Place, bytes: Buffer, options: Partial<LoadOptions> = {}): Promise<Loaded> => {
  const path = join(place.base, 'archive')
  writeFileSync(path, bytes)
  return loadArchive(place, path, { platform: undefined, name: undefined, ...options })
}

/** How names are removed when nobody uses them. */
export const UNUSED = { force: false, users: [] }

/** Of what `work` throws. */
export const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'no error'
  } catch (error) {
    return String((error as { code?: string }).code)
  }
}
