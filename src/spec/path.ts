/** Paths inside a container, as text. */

/** Without empty steps, `.` and `..`; nothing is above the root. */
export const normalPath = (path: string): string => {
  const steps: string[] = []
  for (const step of path.split('/')) {
    if (step === '..') steps.pop()
    else if (step !== '' && step !== '.') steps.push(step)
  }
  return `/${steps.join('/')}`
}

/** Number of steps: 0 for the root. */
export const depthOf = (path: string): number => path.split('/').filter(Boolean).length

export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`)
