/** What images are made of, taken elsewhere and looked at: nobody clears anything away meanwhile. */
import { type SaveFormat, saveImages } from '../image/save.ts'
import { allRecords, findRecord, isHost, type ReferenceRecord } from '../image/store.ts'
import { removeDamaged, type Verified, verifyImages } from '../image/verify.ts'
import { holdingContent, naming } from './content.ts'
import { openSession, withSession } from './session.ts'
import type { EngineOptions } from './types.ts'

/** Whoever stops reading lets go of the store. */
export async function* save(
  engine: EngineOptions,
  names: readonly string[],
  format: SaveFormat,
): AsyncGenerator<Buffer> {
  const session = openSession(engine)
  try {
    const release = await holdingContent(session)
    try {
      yield* saveImages(engine, names, format)
    } finally {
      release()
    }
  } finally {
    session.close()
  }
}

const meant = (engine: EngineOptions, names: readonly string[]): readonly ReferenceRecord[] =>
  names.length === 0
    ? [...allRecords(engine)].sort((a, b) => (a.reference < b.reference ? -1 : 1))
    : names.flatMap((name) => (isHost(name) ? [] : [findRecord(engine, name)]))

export const verify = (engine: EngineOptions, names: readonly string[], fix: boolean): Promise<readonly Verified[]> =>
  withSession(engine, async (session) => {
    const release = await holdingContent(session)
    try {
      const verified = await verifyImages(engine, meant(engine, names))
      if (fix) await naming(session)(() => removeDamaged(engine, verified))
      return verified
    } finally {
      release()
    }
  })
