/** `content/` is an OCI layout: other programs find images in it by name. Its index follows from the references. */
import { existsSync } from 'node:fs'
import { fullName, parseReference } from '../oci/reference.ts'
import { blobOf, type ContentRoot, contentOf } from './paths.ts'
import { allRecords, type ReferenceRecord, writeWhole } from './store.ts'

export const LAYOUT = '{"imageLayoutVersion":"1.0.0"}'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'

/** `docker.io/library/redis:7`. */
const wholeName = (reference: string): string => {
  const parsed = parseReference(reference)
  const { tag, digest } = parsed
  return digest === undefined ? `${fullName(parsed)}:${tag ?? 'latest'}` : `${fullName(parsed)}@${digest}`
}

/** What index.json says of an image: `refName` is what other programs call it by. */
export const indexEntry = ({ reference, manifest }: ReferenceRecord, refName: string): object => ({
  ...manifest,
  annotations: {
    'io.containerd.image.name': wholeName(reference),
    'org.opencontainers.image.ref.name': refName,
  },
})

export const formatIndex = (manifests: readonly object[]): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })

/** Of names alone, and of images whose manifest is here. Pure. */
export const layoutIndex = (records: readonly ReferenceRecord[]): string =>
  formatIndex(
    records
      .filter(({ reference, id, manifest }) => manifest !== undefined && reference !== id)
      .sort((a, b) => (a.reference < b.reference ? -1 : 1))
      .map((record) => indexEntry(record, record.reference)),
  )

/** The content lock is held: the last to write has seen every name. */
export const writeLayout = (content: ContentRoot): void => {
  const directory = contentOf(content)
  const records = allRecords(content).filter(
    ({ manifest }) => manifest !== undefined && existsSync(blobOf(content, manifest.digest)),
  )
  if (!existsSync(`${directory}/oci-layout`)) writeWhole(`${directory}/oci-layout`, LAYOUT)
  writeWhole(`${directory}/index.json`, layoutIndex(records))
}
