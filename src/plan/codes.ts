/** Codes of findings about what a project asks of this machine, told by the commands that change something; for docs/errors.md. */
import type { Diagnostic } from '../errors.ts'

export const MEANINGS = {
  'support/not-yet':
    'Compose knows this key, and Caisson does not do yet what it says. Nothing is ignored in silence: `--lenient` goes on without it.',
  'support/meaningless': 'This key has no effect on one Linux machine. The service runs without it.',
  'plan/namespaces':
    'A service shares a namespace with another one, or with the machine, and says something about it that is not its to say; or it names a mode that does not exist.',
  'plan/addresses': 'A fixed address does not fit the subnet of its network, or cannot be had by several containers.',
  'plan/no-healthcheck':
    'A service waits until another one is healthy, and that one has no health check, neither in the file nor in its image. The wait would never end.',
  'plan/optional-dependency': 'A dependency with `required: false` is switched off by its profiles.',
  'plan/image-not-here':
    'The image of a service is not on this machine, and its `pull_policy`, or `--pull`, says that it is not to be pulled.',
  'plan/not-ours': 'A network or volume of that name exists already, and another project or program made it.',
  'plan/volume-changed': 'A volume exists already, and was made with other labels. Data is never thrown away for that.',
} as const satisfies Readonly<Record<string, string>>

export type PlanCode = keyof typeof MEANINGS

/** Whoever finds something about a plan says it by one of these codes. */
export interface PlanFinding extends Diagnostic {
  readonly code: PlanCode
}
