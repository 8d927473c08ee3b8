/** `[SOURCE:]TARGET[:OPTIONS]` of `services.*.volumes`. */

export interface ShortVolume {
  readonly type: 'bind' | 'volume'
  readonly source: string | undefined
  readonly target: string
  readonly readOnly: boolean
  readonly nocopy: boolean
  readonly propagation: string | undefined
  readonly selinux: string | undefined
  /** Options that nobody knows. */
  readonly unknown: readonly string[]
}

/** Of other systems, or of the engine: they mean nothing here, and are no mistakes. */
const IDLE = new Set(['ro', 'rw', 'z', 'Z', 'nocopy', 'cached', 'delegated', 'consistent', 'default', 'bind', 'rbind'])
const PROPAGATIONS = new Set(['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'])

/** Splits at colons, except inside `${…}` (not yet interpolated) and after a drive letter. */
const split = (text: string): string[] => {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '$' && text[index + 1] === '{') depth++
    else if (character === '}' && depth > 0) depth--
    else if (character === ':' && depth === 0 && !(index - start === 1 && /[a-zA-Z]/.test(text[start] ?? ''))) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  return [...parts, text.slice(start)]
}

const isPath = (source: string): boolean => /^([./~]|\\\\|[a-zA-Z]:)/.test(source)

/** A part that is empty or only points, or a slash at the end. */
const UNCLEAN = /^\.{0,2}$|^\.{1,2}\/|\/\.{0,2}(?:\/|$)/

/** POSIX cleaning: `/d/../e` → `/e`, `/a//b/` → `/a/b`. */
export const cleanPath = (path: string): string => {
  if (path === '') return '.'
  if (!UNCLEAN.test(path)) return path
  const absolute = path.startsWith('/')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (!absolute) parts.push('..')
  }
  return (absolute ? '/' : '') + parts.join('/') || '.'
}

/** undefined where the text is no volume: an empty part, or more than three. Unknown options are left aside, as the reference does. */
export const parseVolume = (text: string): ShortVolume | undefined => {
  const parts = split(text)
  if (parts.length > 3 || parts.some((part) => part === '')) return undefined
  const [first = '', second, optionText = ''] = parts
  const source = second === undefined ? undefined : first
  const options = optionText === '' ? [] : optionText.split(',')
  const access = options.filter((option) => option === 'ro' || option === 'rw')
  return {
    type: source !== undefined && isPath(source) ? 'bind' : 'volume',
    source,
    target: cleanPath(second ?? first),
    readOnly: access.at(-1) === 'ro',
    nocopy: options.includes('nocopy'),
    propagation: options.findLast((option) => PROPAGATIONS.has(option)),
    selinux: options.findLast((option) => option === 'z' || option === 'Z'),
    unknown: options.filter((option) => !IDLE.has(option) && !PROPAGATIONS.has(option)),
  }
}

/** Why a text is no volume, in words. */
export const volumeMistake = (text: string): string => {
  const parts = split(text)
  if (text === '') return 'it is empty'
  if (parts.length > 3) return 'it has too many colons'
  if (parts[0] === '') return 'nothing stands before the first colon'
  return parts[1] === '' ? 'the target is missing' : 'nothing stands behind the last colon'
}
