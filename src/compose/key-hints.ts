/** What may have been meant by a key that is unknown where it stands. */
import type { TreePath } from '../errors.ts'
import { didYouMean } from '../units/suggest.ts'
import { compilePatterns, valueAt } from './pattern.ts'
import { enumerate } from './words.ts'
import { keysAt, placesInService, SECTIONS } from './schema-lookup.ts'

type Synonyms = Readonly<Record<string, string>>

/** Words of other tools, and of everyday, for keys of Compose. */
const SYNONYMS = compilePatterns<Synonyms>({
  'services.*': {
    env: 'environment',
    envs: 'environment',
    env_vars: 'environment',
    variables: 'environment',
    cmd: 'command',
    run: 'command',
    name: 'container_name',
    cpu: 'cpus',
    cpu_limit: 'cpus',
    mem: 'mem_limit',
    memory: 'mem_limit',
    memory_limit: 'mem_limit',
    mounts: 'volumes',
    net: 'network_mode',
    workdir: 'working_dir',
    cwd: 'working_dir',
    health: 'healthcheck',
    requires: 'depends_on',
    needs: 'depends_on',
    host: 'hostname',
    log_driver: 'logging',
    log_opt: 'logging',
    logs: 'logging',
    detach: 'attach',
    interactive: 'stdin_open',
    cap: 'cap_add',
  },
  'services.*.healthcheck': { command: 'test', cmd: 'test', retry: 'retries', start_delay: 'start_period' },
  'services.*.build': { path: 'context', file: 'dockerfile', dir: 'context' },
  'services.*.ports.[]': {
    host: 'host_ip',
    container: 'target',
    port: 'target',
    internal: 'target',
    external: 'published',
  },
  'services.*.volumes.[]': { destination: 'target', dest: 'target', path: 'target', src: 'source', dst: 'target' },
})

const isInService = (path: TreePath): boolean => path[0] === 'services' && path.length >= 2

/** It would be right one level up, or at the top. */
const tooDeep = (key: string, path: TreePath): string | undefined => {
  if (path.length > 2 && placesInService(key).some((place) => place.length === 0))
    return `"${key}" belongs to the service itself: indent it less`
  return SECTIONS.includes(key) ? `"${key}" belongs to the top level of the file` : undefined
}

const tooHigh = (key: string, path: TreePath): string | undefined => {
  const places = placesInService(key)
  if (path.length === 0)
    return places.some((place) => place.length === 0) ? `"${key}" belongs to a service: indent it below one` : undefined
  const own = path.slice(2).join('.')
  const below = places.map((place) => place.join('.')).filter((place) => place !== own && place.startsWith(own))
  return below.length === 1 ? `"${key}" belongs below ${below[0]}` : undefined
}

/** U+00A0 and its relatives, which a page of the web puts where a space was. */
const STRANGE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff]/

/** So few that they are quickly read. */
const FEW = 6

const allKeys = (path: TreePath): string | undefined => {
  const keys = keysAt(path)
  return keys.length > FEW ? undefined : `it has ${enumerate(keys, 'and')}`
}

export const keyHint = (key: string, path: TreePath): string | undefined => {
  if (STRANGE.test(key)) return 'what looks like spaces before it are other characters: write plain spaces'
  const synonyms = valueAt(SYNONYMS, path) ?? {}
  const meant = Object.hasOwn(synonyms, key) ? synonyms[key] : undefined
  if (meant !== undefined) return `did you mean "${meant}"?`
  if (path.length === 0) return tooHigh(key, path) ?? didYouMean(key, keysAt(path))
  const deep = isInService(path) ? tooDeep(key, path) : undefined
  const high = isInService(path) ? tooHigh(key, path) : undefined
  return deep ?? didYouMean(key, keysAt(path)) ?? high ?? allKeys(path)
}
