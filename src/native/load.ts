/** Finds and loads what is compiled: the addon and the monitor. Nothing is touched before the first call. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CaissonError } from '../errors.ts'
import type { NativeBinding } from './binding.ts'
import { fromNative } from './failure.ts'
import { PLAN_VERSION } from './launch-plan.ts'

/** Absolute paths of the two files; they were built together. */
export interface NativeFiles {
  readonly addon: string
  readonly monitor: string
}

const REMEDY = 'run `npm run build` (it needs g++ and the static libstdc++)'

/** The bundle is CommonJS, the tree runs as ES modules. */
const here = typeof __dirname === 'string' ? __dirname : import.meta.dirname

/** src/native/ in the tree and dist/ in the package are at most this far below the package. */
const MAX_DEPTH = 3

const candidates = (): NativeFiles[] => {
  const found: NativeFiles[] = []
  let directory = here
  for (let depth = 0; depth < MAX_DEPTH; depth++, directory = dirname(directory)) {
    for (const folder of [`prebuilds/${process.arch}`, 'build']) {
      found.push({
        addon: join(directory, folder, 'caisson.node'),
        monitor: join(directory, folder, 'caisson-monitor'),
      })
    }
  }
  return found
}

/** Where the compiled files are. Throws ENOADDON if there are none. */
export const findNative = (): NativeFiles => {
  const files = candidates().find((pair) => existsSync(pair.addon))
  if (files === undefined) {
    const message = `the native addon is not there for ${process.platform}-${process.arch}`
    throw new CaissonError('ENOADDON', message, { hint: REMEDY })
  }
  return files
}

type Callable = (...args: unknown[]) => unknown

/** Failures of C++ leave as SystemErrors, thrown or rejected. */
const translated =
  (call: Callable): Callable =>
  (...args) => {
    try {
      const result = call(...args)
      if (!(result instanceof Promise)) return result
      return result.catch((error: unknown) => {
        throw fromNative(error)
      })
    } catch (error) {
      throw fromNative(error)
    }
  }

const dlopen = (path: string): NativeBinding => {
  const module = { exports: {} as Record<string, unknown> }
  try {
    process.dlopen(module, path)
  } catch (cause) {
    throw new CaissonError('ENOADDON', `the native addon '${path}' cannot be loaded`, { hint: REMEDY, cause })
  }
  const parts = Object.entries(module.exports).map(([name, part]) => [
    name,
    typeof part === 'function' ? translated(part as Callable) : part,
  ])
  return Object.freeze(Object.fromEntries(parts)) as NativeBinding
}

let loaded: NativeBinding | undefined

/** The addon, loaded at the first call. Throws ENOADDON if it is missing, or older or newer than this code. */
export const loadNative = (): NativeBinding => {
  if (loaded !== undefined) return loaded
  const { addon } = findNative()
  const binding = dlopen(addon)
  if (Number(binding.version.split('.')[1]) !== PLAN_VERSION) {
    const message = `the native addon '${addon}' was built for version ${binding.version} of the boundary, not for plan ${PLAN_VERSION}`
    throw new CaissonError('ENOADDON', message, { hint: REMEDY })
  }
  loaded = binding
  return binding
}

/** Path of caisson-monitor as built; the engine copies it to the state root before use. */
export const monitorFile = (): string => findNative().monitor
