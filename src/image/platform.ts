/** Platforms as images name them: `linux/amd64`, `linux/arm/v7`. */
import { CaissonError } from '../errors.ts'
import type { Platform } from './documents.ts'

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386' }
const ALIASES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', i386: '386' }
/** What an architecture is where no variant is said. */
const BASE_VARIANT: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7', amd64: 'v1' }

export const thisPlatform = (): Platform => ({
  os: 'linux',
  architecture: ARCHITECTURES[process.arch] ?? process.arch,
  variant: '',
})

/** Throws EPLATFORM. */
export const parsePlatform = (text: string): Platform => {
  const match = /^(?:([a-z0-9]+)\/)?([a-z0-9_]+)(?:\/([a-z0-9]+))?$/.exec(text)
  if (match === null) {
    throw new CaissonError('EPLATFORM', `'${text}' is not a platform`, {
      hint: 'the form is os/architecture[/variant]',
    })
  }
  const [, os = 'linux', architecture = '', variant = ''] = match
  return { os, architecture: ALIASES[architecture] ?? architecture, variant }
}

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === '' ? [] : [variant])].join('/')

const variantOf = ({ architecture, variant }: Platform) => variant || BASE_VARIANT[architecture] || ''

/** Whether an image for `given` is what `wanted` asks for. */
export const isPlatform = (given: Platform, wanted: Platform): boolean =>
  given.os === wanted.os && given.architecture === wanted.architecture && variantOf(given) === variantOf(wanted)
