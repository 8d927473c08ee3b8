/** What tests of the registry client have in common: a home of their own, and an end of all that they start. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientOptions } from '../../../src/image/registry/host.ts'
import { type FaultyRegistry, type RegistryOptions, startRegistry } from './faulty-registry.ts'

export interface World {
  home: string
  /** Ended after each test. */
  started: { close(): unknown }[]
  warnings: string[]
}

export const newWorld = (): World => ({ home: '', started: [], warnings: [] })

export const begin = (world: World): void => {
  Object.assign(world, { home: mkdtempSync(join(tmpdir(), 'caisson-registry-')), started: [], warnings: [] })
}

export const end = async ({ home, started }: World): Promise<void> => {
  for (const each of started) await each.close()
  rmSync(home, { recursive: true })
}

/** Nothing of this machine's own files, but for those in /etc that all have. */
export const optionsOf = (world: World, environment: Readonly<Record<string, string>> = {}): ClientOptions => ({
  environment: { HOME: world.home, ...environment },
  warn: (message) => {
    world.warnings.push(message)
  },
})

export const serve = async (world: World, options: RegistryOptions = {}): Promise<FaultyRegistry> => {
  const registry = await startRegistry(options)
  world.started.push(registry)
  return registry
}

/** A config.json; its directory is for DOCKER_CONFIG. */
export const writeConfig = ({ home }: World, config: object): string => {
  mkdirSync(join(home, 'docker'), { recursive: true })
  writeFileSync(join(home, 'docker', 'config.json'), JSON.stringify(config))
  return join(home, 'docker')
}

/** `lines`: what a credential helper called `name` does, with $1 what it is asked to do. For the PATH is its directory. */
export const writeHelper = ({ home }: World, name: string, lines: string): string => {
  const directory = join(home, 'bin')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `docker-credential-${name}`), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
  return `${directory}:/usr/bin:/bin`
}

export const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'none'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}
