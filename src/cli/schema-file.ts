/** The schema of Compose files as it lies in the package. */
import { readFileSync } from 'node:fs'

/** Bundles lie as deep below the package as this file. */
export const schemaPath = new URL('../../schemas/compose.schema.json', import.meta.url)

export const readSchema = (): string => readFileSync(schemaPath, 'utf8')
