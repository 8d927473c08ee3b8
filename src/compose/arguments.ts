/** Values of the command line in the short forms of a Compose file: `--volume`, `--publish`, `--entrypoint`, `--env-from-file`. */
import { parsePortRange } from '../units/ports.ts'
import { splitCommand } from './command-words.ts'
import { parseDotenv } from './dotenv.ts'
import { joinPath } from './paths.ts'
import type { Port, ServiceMount } from './project.ts'
import { parsePort } from './short-port.ts'
import { cleanPath, parseVolume } from './short-volume.ts'

/** What is wrong with an argument, in words. */
export interface Mistake {
  readonly mistake: string
}

export interface Surroundings {
  /** Relative paths start here. */
  readonly directory: string
  readonly home: string | undefined
}

const sourcePath = (source: string, { directory, home }: Surroundings): string =>
  joinPath(directory, source.startsWith('~') && home !== undefined ? cleanPath(`${home}/${source.slice(1)}`) : source)

/** `[SOURCE:]TARGET[:OPTIONS]`. */
export const readMount = (text: string, surroundings: Surroundings): ServiceMount | Mistake => {
  const volume = parseVolume(text)
  if (volume === undefined) return { mistake: `"${text}" is no volume: [SOURCE:]TARGET[:OPTIONS]` }
  const { source, target, readOnly, nocopy, propagation } = volume
  if (!target.startsWith('/')) return { mistake: `the target ${target} of "${text}" is not an absolute path` }
  const common = { target, readOnly, path: [] }
  if (volume.type === 'volume') return { ...common, type: 'volume', source, nocopy, subpath: undefined }
  const path = sourcePath(source ?? '', surroundings)
  return { ...common, type: 'bind', source: path, createHostPath: true, propagation, recursive: undefined }
}

/** `[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]`, one for each port of a range. */
export const readPorts = (text: string): readonly Port[] | Mistake => {
  const ports = parsePort(text)
  if ('mistake' in ports) return { mistake: `"${text}": ${ports.mistake}` }
  return ports.map(({ hostIp, target, published, protocol }) => ({
    ...{ target, hostIp, path: [], published: parsePortRange(published ?? '') },
    protocol: (['udp', 'sctp'] as const).find((name) => name === protocol) ?? 'tcp',
  }))
}

/** Words as a shell would split them. */
export const readWords = (text: string): readonly string[] | Mistake => {
  const split = splitCommand(text)
  return 'mistake' in split ? { mistake: `"${text}": ${split.mistake}` } : split.words
}

/** A file of variables, in the dialect of `.env`. */
export const readVariables = (
  text: string,
  lookup: (name: string) => string | undefined,
): ReadonlyMap<string, string> | Mistake => {
  const { variables, mistakes } = parseDotenv(text, lookup)
  const words = mistakes.map(({ line, message }) => `line ${line}: ${message}`)
  return words.length === 0 ? variables : { mistake: words.join('; ') }
}
