import type { Project } from '../../compose/project.ts'
import type { UpOptions } from '../../index.ts'
import { namesLike } from '../../units/glob.ts'
import { ignoresOrphans, removesOrphans, toMilliseconds } from '../change.ts'
import { type Call, defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { accepted, choice, flag, integer, list, longName, type Option, refused, text } from '../grammar.ts'
import { loadProject } from '../load-project.ts'
import { requireRoot } from '../runtime.ts'
import { UsageError } from '../usage.ts'

/** A flag that is not the same as false when it is not given. */
const toggle = (summary: string): Option<boolean | undefined> => ({
  ...flag(summary),
  initial: undefined,
  read: (text, _previous, name) => flag('').read(text, false, name),
})

const noBuild = 'images cannot be built by this version'

const createOptions = {
  build: refused(flag(''), noBuild),
  forceRecreate: flag('Recreate containers even if nothing changed'),
  noBuild: accepted(flag('')),
  noRecreate: flag('Leave containers that exist as they are'),
  pull: choice(['policy', 'always', 'missing', 'never'], 'policy', 'When to pull images, whatever the services say'),
  quietPull: flag('Say nothing of images that are pulled'),
  removeOrphans: flag('Remove containers of services that are no longer in the Compose file'),
  scale: list('SERVICE=N', 'Number of containers of a service; may be repeated'),
  yes: accepted(flag('', 'y')),
}

/** Alone: all of them; with `=SERVICE`, as often as wanted: these. */
const rerun: Option<'all' | readonly string[]> = {
  ...flag('Run services again that have done their work, or with --rerun=SERVICE this one'),
  initial: [],
  read: (service, previous) => (service === undefined || previous === 'all' ? 'all' : [...previous, service]),
}

const upOptions = {
  ...createOptions,
  abortOnContainerExit: flag('Stop everything when a container ends'),
  abortOnContainerFailure: flag('Stop everything when a container fails'),
  alwaysRecreateDeps: flag('Recreate dependencies too'),
  attach: list('SERVICE', 'Show output of this service only; may be repeated'),
  attachDependencies: flag('Show output of dependencies too'),
  detach: flag('Return when everything runs', 'd'),
  exitCodeFrom: text('SERVICE', 'Return the exit code of this service; stops everything when a container ends'),
  junit: text('FILE', 'Write how each service has fared as a JUnit file'),
  menu: toggle('Keys while attached: d detaches, ? helps (default: COMPOSE_MENU)'),
  noAttach: list('SERVICE', 'Do not show output of this service; may be repeated'),
  noColor: flag('Without colours'),
  noDeps: flag('Without the services that these depend on'),
  noLogPrefix: flag('Without the name of the container before each line'),
  noStart: flag('Create only'),
  quietBuild: accepted(flag('')),
  renewAnonVolumes: flag('New anonymous volumes instead of those of the containers before', 'V'),
  rerun,
  timeout: integer('SECONDS', 'How long to wait before killing', 't'),
  timestamps: flag('With the time of each line'),
  wait: flag('Return when every service runs, is healthy where that is checked, or has done its work'),
  waitTimeout: integer('SECONDS', 'Longest time to wait for services; exit code 5 when that is over'),
  watch: refused(flag('', 'w'), 'develop.watch is not there yet'),
}

export type UpValues = Call<typeof upOptions>['values']

const CONFLICTS: readonly (readonly [keyof UpValues, keyof UpValues])[] = [
  ['forceRecreate', 'noRecreate'],
  ['alwaysRecreateDeps', 'noRecreate'],
  ['renewAnonVolumes', 'noRecreate'],
  ['abortOnContainerExit', 'abortOnContainerFailure'],
  ['detach', 'attach'],
  ['detach', 'attachDependencies'],
  ['detach', 'abortOnContainerExit'],
  ['detach', 'abortOnContainerFailure'],
  ['detach', 'exitCodeFrom'],
  ['wait', 'attach'],
  ['wait', 'attachDependencies'],
  ['wait', 'abortOnContainerExit'],
  ['attach', 'attachDependencies'],
]

const checkConflicts = (context: Context, given: ReadonlySet<string>): void => {
  const conflict = CONFLICTS.find(([a, b]) => given.has(a) && given.has(b))
  if (conflict !== undefined) throw new UsageError(`${conflict.map(longName).join(' and ')} exclude each other`)
  if (ignoresOrphans(context) && given.has('removeOrphans')) {
    throw new UsageError('COMPOSE_IGNORE_ORPHANS and --remove-orphans exclude each other')
  }
}

const readScale = (items: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    items.map((item) => {
      const [, service, count] = /^([\w.-]+)=(\d{1,5})$/.exec(item) ?? []
      if (service === undefined) throw new UsageError(`--scale takes SERVICE=N, not "${item}"`)
      return [service, Number(count)]
    }),
  )

/** Its output is shown until it ends. */
const isAttached = ({ noStart, detach, wait }: UpValues): boolean => !noStart && !detach && !wait

const engineOptions = (context: Context, values: UpValues, services: readonly string[]): UpOptions => ({
  services,
  pull: values.pull === 'policy' ? undefined : values.pull,
  quietPull: values.quietPull,
  noDeps: values.noDeps,
  forceRecreate: values.forceRecreate,
  noRecreate: values.noRecreate,
  alwaysRecreateDeps: values.alwaysRecreateDeps,
  renewAnonymousVolumes: values.renewAnonVolumes,
  removeOrphans: removesOrphans(context, values.removeOrphans),
  ignoreOrphans: ignoresOrphans(context),
  noStart: values.noStart,
  scale: readScale(values.scale),
  timeoutMs: toMilliseconds(values.timeout),
  wait: values.wait,
  waitTimeoutMs: toMilliseconds(values.waitTimeout || undefined),
  rerun: values.rerun,
  attached: isAttached(values),
  lenient: context.globals.lenient,
  dryRun: values.dryRun,
})

/** What patterns stand for. */
const named = ({ services }: Project, names: readonly string[]): readonly string[] => [
  ...new Set(names.flatMap((name) => namesLike(name, Object.keys(services)))),
]

export const up = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Create and start what the Compose file asks for, and show its output',
  details:
    'SERVICE may be a pattern such as "web*". Ctrl-C stops everything, a second one kills. With -d it returns as soon as everything runs.',
  options: upOptions,
  examples: ['caisson up -d', 'caisson up web --scale web=3', 'caisson --dry-run up'],
  run: async (context, { values, positionals, given }) => {
    checkConflicts(context, given)
    if (!values.dryRun) requireRoot()
    const project = await loadProject(context, { services: positionals, options: { dependencies: !values.noDeps } })
    const options = engineOptions(context, values, named(project, positionals))
    if (values.dryRun || !options.attached) {
      return (await import('../detached.ts')).upDetached(context, project, options, values.junit)
    }
    return (await import('../attached.ts')).upAttached(context, project, options, values)
  },
})

export const create = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Create what the Compose file asks for without starting it',
  options: createOptions,
  run: async (context, call) => {
    const values = { ...DEFAULTS, ...call.values, noStart: true }
    checkConflicts(context, call.given)
    if (!values.dryRun) requireRoot()
    const project = await loadProject(context, { services: call.positionals })
    const { upDetached } = await import('../detached.ts')
    return upDetached(context, project, engineOptions(context, values, named(project, call.positionals)), undefined)
  },
})

const DEFAULTS = Object.fromEntries(
  Object.entries(upOptions).map(([name, option]) => [name, option.initial]),
) as unknown as UpValues
