/** What a list of images says of each: all its names together, and what it shares with others. */
import { readFileSync } from 'node:fs'
import { HOST_REFERENCE, hostBuiltAt, hostId } from './host.ts'
import { blobOf, type ContentRoot, layerBytes } from './paths.ts'
import { allRecords, type ReferenceRecord } from './store.ts'

export interface ImageSummary {
  readonly id: string
  /** Sorted; empty: it has lost its name. */
  readonly references: readonly string[]
  /** `name@sha256:…` */
  readonly repoDigests: readonly string[]
  /** Milliseconds since the epoch: when it was made, or came here if it does not say. */
  readonly createdAt: number
  /** Of its unpacked layers. */
  readonly sizeBytes: number
  /** Of layers that other images stand on too. */
  readonly sharedBytes: number
  readonly labels: Readonly<Record<string, string>>
  /** It has no layers that could go. */
  readonly isBuiltIn: boolean
}

interface Said {
  readonly createdAt: number | undefined
  readonly labels: Readonly<Record<string, string>>
}

/** Of the configuration; one that is damaged says nothing. */
const saidBy = (content: ContentRoot, id: string): Said => {
  try {
    const { created, config } = JSON.parse(readFileSync(blobOf(content, id), 'utf8')) as {
      readonly created?: string
      readonly config?: { readonly Labels?: Record<string, string> | null }
    }
    return { createdAt: Date.parse(created ?? '') || undefined, labels: config?.Labels ?? {} }
  } catch {
    return { createdAt: undefined, labels: {} }
  }
}

const byId = (records: readonly ReferenceRecord[]): ReadonlyMap<string, readonly ReferenceRecord[]> => {
  const groups = new Map<string, ReferenceRecord[]>()
  for (const record of records) groups.set(record.id, [...(groups.get(record.id) ?? []), record])
  return groups
}

/** How many images stand on a layer. */
const usersOf = (groups: Iterable<readonly ReferenceRecord[]>): ReadonlyMap<string, number> => {
  const users = new Map<string, number>()
  for (const [first] of groups) for (const chain of first?.layers ?? []) users.set(chain, (users.get(chain) ?? 0) + 1)
  return users
}

const builtIn = (content: ContentRoot): ImageSummary => ({
  ...{ id: hostId(), references: [`${HOST_REFERENCE}:latest`], repoDigests: [], createdAt: hostBuiltAt(content) ?? 0 },
  ...{ sizeBytes: 0, sharedBytes: 0, labels: {}, isBuiltIn: true },
})

/** Every image once; the embedded one first. */
export const summarise = (content: ContentRoot): readonly ImageSummary[] => {
  const groups = byId(allRecords(content))
  const users = usersOf(groups.values())
  const summaries = [...groups].map(([id, records]): ImageSummary => {
    const said = saidBy(content, id)
    const shared = (records[0]?.layers ?? []).filter((chain) => (users.get(chain) ?? 0) > 1)
    return {
      id,
      references: records.flatMap(({ reference }) => (reference === id ? [] : [reference])).sort(),
      repoDigests: [...new Set(records.flatMap((record) => record.repoDigests))].sort(),
      createdAt: said.createdAt ?? Math.min(...records.map(({ importedAt }) => importedAt)),
      sizeBytes: records[0]?.sizeBytes ?? 0,
      sharedBytes: shared.reduce((sum, chain) => sum + layerBytes(content, chain), 0),
      ...{ labels: said.labels, isBuiltIn: false },
    }
  })
  return [builtIn(content), ...summaries]
}
