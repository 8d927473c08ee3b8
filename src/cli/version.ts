import { readFileSync } from 'node:fs'

/** Set by scripts/build.mjs; run from source there is only package.json. */
declare const CAISSON_VERSION: string | undefined

/** false: run from source. */
export const isBundled = typeof CAISSON_VERSION !== 'undefined'

const fromPackage = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

export const packageVersion = (): string => (typeof CAISSON_VERSION === 'undefined' ? fromPackage() : CAISSON_VERSION)
