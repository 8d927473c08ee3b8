/** Containers that a project names without having made them: `network_mode: container:X` and the like. */
import type { Project, Service } from '../compose/project.ts'
import type { Diagnostic, TreePath } from '../errors.ts'
import { allowsIpcJoin, type Reference, referencesOf } from '../plan/namespaces.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import { isNamed } from '../plan/select.ts'
import { observedContainer } from '../state/observe.ts'
import { type ContainerSnapshot, type IsAlive, looksAlive, readContainers } from '../state/snapshot.ts'
import type { Roots } from '../state/layout.ts'

const references = (services: readonly Service[]): readonly (Reference & { readonly service: Service })[] =>
  services.flatMap((service) =>
    referencesOf(service).flatMap((reference) =>
      reference.to.kind === 'container' ? [{ ...reference, service }] : [],
    ),
  )

/** Every container of other projects, where `services` name one at all. */
export const observeElsewhere = (
  roots: Roots,
  { name, services }: Project,
  isAlive: IsAlive,
): readonly ObservedContainer[] => {
  if (references(Object.values(services)).length === 0) return []
  const { containers } = readContainers(roots, undefined, isAlive)
  return containers.filter(({ record }) => record.project !== name).map(observedContainer)
}

const problemOf = (there: ContainerSnapshot | undefined, { to, namespace }: Reference, project: string) => {
  if (there === undefined) return { message: `there is no container ${to.name}`, hint: undefined }
  const { record, alive } = there
  if (!alive && record.project !== project)
    return { message: `container ${to.name} does not run`, hint: `start project ${record.project} first` }
  if (namespace === 'ipc' && !allowsIpcJoin(record.definition))
    return { message: `the ipc namespace of container ${to.name} is private`, hint: 'it needs `ipc: shareable`' }
  return undefined
}

const noContainer = (source: {
  readonly name: string
  readonly path: TreePath
  readonly service: string
}): Diagnostic => ({
  ...{ code: 'plan/namespaces', severity: 'error', path: source.path },
  message: `service ${source.service}: there is no container ${source.name}`,
})

/** Containers that are named and are not there, do not run, or do not share; before anything starts. */
export const elsewhereConflicts = (
  roots: Roots,
  project: string,
  services: readonly Service[],
): readonly Diagnostic[] => {
  const named = references(services)
  const others = services.flatMap(({ name: service, volumesFrom, externalLinks }) => [
    ...volumesFrom.flatMap((source) => (source.kind === 'container' ? [{ ...source, service }] : [])),
    ...externalLinks.map(({ container: name }, index) => ({
      ...{ name, service, path: ['services', service, 'external_links', index] },
    })),
  ])
  if (named.length + others.length === 0) return []
  const { containers } = readContainers(roots, undefined, looksAlive)
  const missing = others.filter(({ name }) => !containers.some(({ record }) => isNamed(record, name)))
  return missing.map(noContainer).concat(
    named.flatMap((reference) => {
      const there = containers.find(({ record }) => isNamed(record, reference.to.name))
      const problem = problemOf(there, reference, project)
      if (problem === undefined) return []
      const { message, hint } = problem
      return [
        {
          ...({ code: 'plan/namespaces', severity: 'error', path: reference.path } as const),
          message: `service ${reference.service.name}: ${message}`,
          ...(hint === undefined ? {} : { hint }),
        },
      ]
    }),
  )
}
