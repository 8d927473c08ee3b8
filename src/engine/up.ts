/** up: check, observe, reconcile, carry out. */
import type { Project, Service } from '../compose/project.ts'
import { CaissonError, type Diagnostic, ProjectError, type TreePath } from '../errors.ts'
import type { HostFacts } from '../native/host-facts.ts'
import type { ImageConfig } from '../oci/image-config.ts'
import { configById, imageId, isHost } from '../image/store.ts'
import { conditionFindings } from '../plan/conditions.ts'
import type { UpPlanOptions } from '../plan/making.ts'
import { namespaceConflicts } from '../plan/namespaces.ts'
import { type Reconciled, reconcileUp } from '../plan/reconcile.ts'
import { selectServices } from '../plan/select.ts'
import { unsupported } from '../plan/support.ts'
import { checkService } from '../spec/check.ts'
import { checkHost } from '../spec/host-checks.ts'
import { keepProject, readProject, refuseForeignDirectory } from '../state/projects.ts'
import { looksAlive, readContainers } from '../state/snapshot.ts'
import type { Observed } from '../plan/observed.ts'
import { addressConflicts } from './addresses.ts'
import { clock } from './clock.ts'
import { hostDevicesOf } from './devices.ts'
import { ensureImages } from './ensure-images.ts'
import { readHostFacts } from './host-facts.ts'
import { checkSources } from './secret-files.ts'
import { carryOut } from './carry-out.ts'
import type { Attach } from './launch.ts'
import { elsewhereConflicts, observeElsewhere } from './elsewhere.ts'
import { changing, type Session, warn, withSession } from './session.ts'
import type { Turn } from './turn.ts'
import type { EngineOptions, Outcome, UpOptions } from './types.ts'
import { lookAtWorld, readWorld } from './world.ts'

/** What the plan has to know of images. */
type Images = Pick<UpPlanOptions, 'images' | 'imageMounts' | 'imageHealthchecks'>

/** Who takes over the stdio of what is started; see Run. */
interface Manner {
  readonly attach?: Attach | undefined
}

/** Of image-spec config.md's Test: empty is inherited (there is nothing to inherit from here), NONE is none. */
const hasOwnCheck = (config: ImageConfig | undefined): boolean =>
  !['NONE', undefined].includes(config?.healthcheck?.test[0])

/** The error as a finding at `path`. Throws what is no error of ours. */
const findingOf = (error: unknown, service: string, path: TreePath): Diagnostic => {
  if (!(error instanceof CaissonError)) throw error
  const { code, message, hint } = error
  return {
    ...{ code, severity: 'error', path, message: `service ${service}: ${message}` },
    ...(hint === undefined ? {} : { hint }),
  }
}

/** Identities of the images that services mount, by service and target; those that are not here are findings. */
const mountedImagesOf = (root: string, services: readonly Service[], coming: ReadonlySet<string>) => {
  const findings: Diagnostic[] = []
  const identify = ({ name }: Service, source: string, path: TreePath): string => {
    try {
      if (isHost(source))
        throw new CaissonError('EMOUNT', `${source} is this machine's own files: mount them with type: bind`)
      return imageId({ root }, source)
    } catch (error) {
      const isComing = error instanceof CaissonError && error.code === 'ENOIMAGE' && coming.has(name)
      if (!isComing) findings.push(findingOf(error, name, [...path, 'source']))
      return `of ${source}`
    }
  }
  const imageMounts = Object.fromEntries(
    services.map((service) => {
      const mounts = service.volumes.flatMap((mount) =>
        mount.type === 'image' ? [[mount.target, identify(service, mount.source, mount.path)] as const] : [],
      )
      return [service.name, Object.fromEntries(mounts)] as const
    }),
  )
  return { imageMounts, findings }
}

/** Identity of each service's image and whether it brings a health check; those that are not here are findings. */
const imagesOf = (root: string, project: Project, names: Iterable<string>, coming: ReadonlySet<string>) => {
  const images: Record<string, string> = {}
  const imageHealthchecks = new Set<string>()
  const findings: Diagnostic[] = []
  for (const name of names) {
    const reference = project.services[name]?.image
    if (reference === undefined) continue
    try {
      const id = imageId({ root }, reference)
      images[name] = id
      if (hasOwnCheck(configById({ root }, id))) imageHealthchecks.add(name)
    } catch (error) {
      if (error instanceof CaissonError && coming.has(name) && error.code === 'ENOIMAGE')
        images[name] = `of ${reference}, which is still to come`
      else findings.push(findingOf(error, name, ['services', name, 'image']))
    }
  }
  return { images, imageHealthchecks, findings }
}

/** A service without an image would be built. */
const missingImages = (project: Project, names: Iterable<string>): readonly Diagnostic[] =>
  [...names].flatMap((name) =>
    project.services[name]?.image === undefined
      ? [
          {
            ...({ code: 'support/not-yet', severity: 'error', path: ['services', name] } as const),
            message: `service ${name} has no image, and building images is not supported yet`,
            hint: 'set image: caisson/host, or one that `caisson image import` made',
          },
        ]
      : [],
  )

/** What is wrong with a service whatever the state of the project, and what this machine cannot do of it. */
const checkOnHost = (service: Service, facts: HostFacts): readonly Diagnostic[] => [
  ...checkService(service, { facts, devices: hostDevicesOf(service) }),
  ...checkHost(service, facts),
  ...checkSources(service),
]

/** Everything that stands in the way, at once. Throws ProjectError; warnings go out as events. */
const check = (engine: EngineOptions, project: Project, options: UpOptions, coming: ReadonlySet<string>): Images => {
  const names = selectServices(project, options.services, options.noDeps)
  const { images, imageHealthchecks, findings } = imagesOf(engine.root, project, names, coming)
  const selected = Object.fromEntries(Object.entries(project.services).filter(([name]) => names.has(name)))
  const mounted = mountedImagesOf(engine.root, Object.values(selected), coming)
  const facts = readHostFacts(engine)
  const all = [
    ...unsupported({ ...project, services: selected }, options.lenient),
    ...Object.values(selected).flatMap((service) => checkOnHost(service, facts)),
    ...Object.values(selected).flatMap((service) => namespaceConflicts(project, service)),
    ...addressConflicts(project, Object.values(selected)),
    ...elsewhereConflicts(engine, project.name, Object.values(selected)),
    ...missingImages(project, names),
    ...findings,
    ...mounted.findings,
    ...conditionFindings(project, names, imageHealthchecks),
  ]
  warn(
    engine.emit,
    all.filter(({ severity }) => severity === 'warning'),
  )
  if (all.some(({ severity }) => severity === 'error')) throw new ProjectError(all)
  return { images, imageMounts: mounted.imageMounts, imageHealthchecks }
}

const plan = (project: Project, observed: Observed, options: UpOptions, images: Images) =>
  reconcileUp(project, observed, { ...options, ...images })

const announce = (engine: EngineOptions, { warnings, orphans, finished, plan }: Reconciled, options: UpOptions) => {
  warn(engine.emit, warnings)
  for (const name of finished) engine.emit({ kind: 'finished', subject: { noun: 'container', name } })
  if (orphans.length > 0 && !options.ignoreOrphans) {
    const message = `found orphan containers (${orphans.join(', ')}) for this project`
    const hint = 'if a service was renamed or removed from the Compose file, --remove-orphans cleans up'
    engine.emit({ kind: 'warning', code: 'plan/orphans', message, hint, path: undefined })
  }
  engine.emit({ kind: 'planned', plan })
}

const change = async (
  session: Session,
  engine: EngineOptions,
  project: Project,
  options: UpOptions & Manner,
  images: Images,
  turn: Turn,
) => {
  const { waitTimeoutMs, signal, attach } = options
  const deadline = waitTimeoutMs === undefined ? undefined : clock.now() + waitTimeoutMs
  const { world, reconciled } = await turn.changing(async () => {
    const world = await readWorld(session, project.name)
    const { name, workingDirectory, composeFiles } = project
    if (world.containers.length > 0)
      refuseForeignDirectory(readProject(session.roots, name), { name, workingDirectory, composeFiles })
    const elsewhere = observeElsewhere(session.roots, project, session.isAlive)
    const reconciled = plan(project, { ...world.observed, elsewhere }, options, images)
    announce(engine, reconciled, options)
    keepProject(session.roots, { name, workingDirectory, composeFiles })
    return { world, reconciled }
  })
  await carryOut({ session, plan: reconciled.plan, world, turn, model: project, deadline, signal, attach })
  return { plan: reconciled.plan }
}

const dryRun = (engine: EngineOptions, project: Project, options: UpOptions, images: Images): Outcome => {
  if (readContainers(engine, project.name, looksAlive).containers.length > 0) {
    refuseForeignDirectory(readProject(engine, project.name), project)
  }
  const observed = lookAtWorld(engine, project.name, looksAlive)
  const elsewhere = observeElsewhere(engine, project, looksAlive)
  const reconciled = plan(project, { ...observed, elsewhere }, options, images)
  announce(engine, reconciled, options)
  return { plan: reconciled.plan }
}

export const up = async (engine: EngineOptions, project: Project, options: UpOptions & Manner): Promise<Outcome> => {
  const coming = await ensureImages(engine, project, selectServices(project, options.services, options.noDeps), options)
  const images = check(engine, project, options, coming)
  if (options.dryRun) return dryRun(engine, project, options, images)
  return withSession(engine, (session) =>
    changing(session, project.name, (turn) => change(session, engine, project, options, images, turn), options.signal),
  )
}
