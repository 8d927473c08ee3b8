/** Where the control groups of a container lie below each hierarchy's root. */
import type { Service } from '../compose/project.ts'
import type { Report } from './report.ts'

/** Below our own groups, those of `cgroup_parent`: no project has this name. */
export const PARENTS = '@'

/** No `@`, which containers have; no dots alone, which lead elsewhere. */
const STEP = /^(?!\.+$)[A-Za-z0-9_.:-]{1,100}$/
const MOST_STEPS = 8

const stepsOf = (parent: string | undefined): readonly string[] =>
  (parent ?? '').split('/').filter((step) => step !== '')

const isPossible = (steps: readonly string[]): boolean =>
  steps.length <= MOST_STEPS && steps.every((step) => STEP.test(step))

export interface GroupOwner {
  readonly project: string
  /** Of the container. */
  readonly id: string
}

/** `<top>/<project>/<id>`, or `<top>/@/<cgroup_parent>/<project>@<id>`, which lies in no group of a container. */
export const groupPath = (
  top: string,
  { project, id }: GroupOwner,
  { cgroupParent }: Pick<Service, 'cgroupParent'>,
): string => {
  const steps = stepsOf(cgroupParent)
  if (steps.length === 0 || !isPossible(steps)) return `${top}/${project}/${id}`
  return [top, PARENTS, ...steps, `${project}@${id}`].join('/')
}

export const checkGroup = ({ name, cgroupParent }: Service, report: Report): void => {
  if (isPossible(stepsOf(cgroupParent))) return
  report({
    code: 'ECGROUP',
    path: ['services', name, 'cgroup_parent'],
    message: `cgroup_parent '${cgroupParent}' is not possible: names of letters, digits, '_', '.', ':' and '-', at most ${MOST_STEPS} with slashes between`,
  })
}
