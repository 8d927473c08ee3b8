/** What the scenarios of cp do with a project: its files here, its service `a` there. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import type { Folder } from './scenario.ts'

export const COPIED = 'image: caisson/host, stop_signal: SIGKILL, network_mode: none, command: sleep 1000'

export const copying = (project: Folder) => {
  const here = (path: string): string => `${project.directory}/${path}`
  return {
    here,
    local: (path: string): string => readFileSync(here(path), 'utf8'),
    inside: (...command: string[]): string => project.run('exec', '-T', 'a', ...command),
    status: (...args: string[]) => project.try(['cp', ...args]).status,
    fresh: (name: string): string => {
      rmSync(here(name), { recursive: true, force: true })
      mkdirSync(here(name))
      return name
    },
  }
}
