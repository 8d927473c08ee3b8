import { spawnSync } from 'node:child_process'

/** Why the probes written in Python cannot run; undefined: they can. */
export const lacksPython = (): string | undefined =>
  spawnSync('python3', ['--version']).status === 0 ? undefined : 'needs python3'
