import { readMount, readPorts, readVariables, readWords } from '../../compose/arguments.ts'
import type { Project } from '../../compose/project.ts'
import type { Attached, OneOffRequest, RunOptions, RunOutcome } from '../../index.ts'
import { finishChange, removesOrphans } from '../change.ts'
import { type Call, defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../detach-keys.ts'
import { discoverProject } from '../discovery.ts'
import { accepted, choice, flag, hidden, list, refused, text } from '../grammar.ts'
import { loadProject } from '../load-project.ts'
import type { OneOffWitness } from '../one-off-witness.ts'
import { Relay } from '../relay.ts'
import { createProgress, type Progress } from '../render/progress.ts'
import { openEngine, openReader, requireRoot } from '../runtime.ts'
import { UsageError } from '../usage.ts'
import { readAssignments } from '../variables.ts'

const options = {
  build: refused(flag(''), 'images cannot be built by this version'),
  capAdd: list('CAP', 'Add a capability; may be repeated'),
  capDrop: list('CAP', 'Drop a capability; may be repeated'),
  detach: flag('Run it in the background and print the name of the container', 'd'),
  down: flag('Take down again what was started for it: dependencies, networks'),
  entrypoint: text('COMMAND', 'Instead of the entrypoint; words as in a shell; empty: none'),
  env: list('NAME=VALUE', 'Environment variable; NAME alone takes the value of this shell', 'e'),
  envFromFile: list('FILE', 'Environment variables of a file; --env wins'),
  interactive: { ...flag('Keep stdin open; --interactive=false does not', 'i'), initial: true },
  junit: text('FILE', 'Write how it and what it depends on have fared as a JUnit file'),
  label: list('NAME=VALUE', 'Label of the container; may be repeated', 'l'),
  name: text('NAME', 'Name of the container'),
  noDeps: flag('Without the services that it depends on'),
  noTty: flag('Without a terminal, also where this is one', 'T'),
  publish: list('PORT', 'Publish a port ([[ADDRESS:]PUBLISHED:]TARGET) instead of those of the service', 'p'),
  pull: choice(['policy', 'missing', 'never', 'always'], 'policy', 'When to pull the image, whatever the service says'),
  quiet: flag('Say nothing of what is started', 'q'),
  quietBuild: accepted(flag('')),
  quietPull: flag('Say nothing of images that are pulled'),
  removeOrphans: flag('Remove containers of services that are no longer in the Compose file'),
  rm: flag('Remove the container and its anonymous volumes when it has ended'),
  servicePorts: flag('Publish the ports of the service', 'P'),
  tty: hidden(flag('', 't')),
  useAliases: flag('Answer to the names of the service on its networks'),
  user: text('USER[:GROUP]', 'Run as this user', 'u'),
  volume: list('VOLUME', 'Mount [SOURCE:]TARGET[:OPTIONS]; may be repeated', 'v'),
  workdir: text('DIR', 'Working directory inside the container', 'w'),
}

type RunCall = Call<typeof options>

const take = <T>(flagName: string, value: T | { readonly mistake: string }): T => {
  if (typeof value === 'object' && value !== null && 'mistake' in value)
    throw new UsageError(`${flagName} ${value.mistake}`)
  return value as T
}

const checkFlags = ({ values, given }: RunCall): void => {
  if (values.servicePorts && given.has('publish'))
    throw new UsageError('--service-ports and --publish are incompatible')
  if (values.detach && values.junit !== undefined) throw new UsageError('--detach and --junit exclude each other')
  if (values.detach && values.down) throw new UsageError('--detach and --down exclude each other')
  if (values.workdir?.startsWith('/') === false)
    throw new UsageError(`--workdir takes an absolute path, not "${values.workdir}"`)
}

const variablesOf = (context: Context, { values }: RunCall): Readonly<Record<string, string>> => {
  const lookup = (name: string) => discoverProject(context).environment[name]
  const fromFiles = values.envFromFile.flatMap((file) => {
    const content = context.session.readFile(file)
    if (content === undefined) throw new UsageError(`--env-from-file: there is no file ${file}`)
    return [...take(`--env-from-file ${file}`, readVariables(content, lookup))]
  })
  return { ...Object.fromEntries(fromFiles), ...readAssignments(values.env, lookup) }
}

/** A terminal where this is one at both ends, as the other commands have it. */
const wantsTerminal = ({ values }: RunCall): boolean => {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  if (values.tty && !values.noTty && !values.detach && values.interactive && process.stdin.isTTY !== true)
    throw new UsageError('the input device is not a TTY', 'leave --tty out')
  return !values.noTty && (values.tty || (isTerminal && !values.detach))
}

const requestOf = (context: Context, call: RunCall): OneOffRequest => {
  const { values, positionals } = call
  const surroundings = { directory: context.cwd, home: context.env.HOME }
  return {
    command: positionals.slice(1),
    entrypoint: values.entrypoint === undefined ? undefined : take('--entrypoint', readWords(values.entrypoint)),
    environment: variablesOf(context, call),
    ...{ user: values.user, workingDir: values.workdir, capAdd: values.capAdd, capDrop: values.capDrop },
    labels: readAssignments(values.label, () => ''),
    ports: values.publish.flatMap((port) => take('--publish', readPorts(port))),
    servicePorts: values.servicePorts,
    mounts: values.volume.map((volume) => take('--volume', readMount(volume, surroundings))),
    useAliases: values.useAliases,
    tty: wantsTerminal(call),
    interactive: values.interactive && !values.detach,
  }
}

/** Drawing ends where the container's own output begins. */
class Drawing {
  readonly #progress: Progress
  #isOpen = true

  constructor(context: Context, quiet: boolean) {
    this.#progress = quiet ? { emit: () => {}, close: async () => {} } : createProgress(context)
  }

  readonly emit: Progress['emit'] = (event) => {
    if (this.#isOpen) this.#progress.emit(event)
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#progress.close()
  }
}

const relayOf = (attached: Attached, values: RunCall['values'], witness: OneOffWitness | undefined): Relay =>
  new Relay(attached, {
    stdin: values.interactive,
    detachKeys: parseDetachKeys(DEFAULT_DETACH_KEYS),
    forwardSignals: true,
    isOwner: true,
    onOutput: witness?.onOutput,
  })

const engineOptions = (context: Context, call: RunCall, onAttached: RunOptions['onAttached']): RunOptions => {
  const { values, positionals } = call
  return {
    ...{ service: positionals[0] ?? '', request: requestOf(context, call), name: values.name, autoRemove: values.rm },
    ...{ noDeps: values.noDeps, removeOrphans: removesOrphans(context, values.removeOrphans), down: values.down },
    ...{ pull: values.pull === 'policy' ? undefined : values.pull, quietPull: values.quietPull },
    ...{ lenient: context.globals.lenient, dryRun: values.dryRun, onAttached },
  }
}

const takeDown = async ({ values }: RunCall, outcome: RunOutcome | undefined): Promise<void> => {
  if (values.down && outcome !== undefined) await outcome.takeDown()
}

/** For --junit; undefined: nobody asks. */
const openWitness = async ({ values, positionals: [service = ''] }: RunCall): Promise<OneOffWitness | undefined> => {
  if (values.junit === undefined) return undefined
  const { OneOffWitness } = await import('../one-off-witness.ts')
  return new OneOffWitness(service)
}

const writeReport = async (
  context: Context,
  { values }: RunCall,
  project: Project,
  { witness, failure }: { readonly witness: OneOffWitness | undefined; readonly failure: unknown },
): Promise<void> => {
  if (values.junit === undefined || witness === undefined) return
  const judged = { project: project.name, services: Object.keys(project.services), failure }
  const engine = openReader(context)
  const { writeJunit } = await import('../junit-file.ts')
  await writeJunit(context, values.junit, { engine, ...judged, known: [witness.verdict(failure)] })
}

const runAttached = async (context: Context, call: RunCall, project: Project): Promise<number> => {
  const drawing = new Drawing(context, call.values.quiet)
  const witness = await openWitness(call)
  let relay: Relay | undefined
  let outcome: RunOutcome | undefined
  let failure: unknown
  const onAttached = async (attached: Attached) => {
    await drawing.close()
    relay = relayOf(attached, call.values, witness)
    witness?.starts(attached.name)
    relay.start()
  }
  try {
    const engine = openEngine(context, drawing.emit)
    outcome = await engine.run(project, engineOptions(context, call, onAttached))
    const end = await relay?.ended()
    witness?.ends(end)
    return end?.kind === 'exited' ? end.code : 0
  } catch (error) {
    failure = error
    throw error
  } finally {
    relay?.close()
    await drawing.close()
    try {
      await writeReport(context, call, project, { witness, failure })
    } finally {
      await takeDown(call, outcome)
    }
  }
}

const runDetached = async (context: Context, call: RunCall, project: Project): Promise<number> => {
  const drawing = new Drawing(context, call.values.quiet)
  try {
    const engine = openEngine(context, drawing.emit)
    const outcome = await engine.run(project, engineOptions(context, call, undefined))
    await drawing.close()
    if (call.values.dryRun) return finishChange(context, outcome, true)
    context.stdout.write(`${outcome.name}\n`)
    return 0
  } finally {
    await drawing.close()
  }
}

export const run = defineCommand({
  usage: 'SERVICE [COMMAND [ARGS…]]',
  summary: 'Run a one-off command in a container of its own, made from a service',
  details: [
    'What the service depends on is started first and goes on running; --down takes it down again. The container has no',
    'published ports, no restart policy and none of the names of the service. The exit code is that of the command; 127: no',
    'such program, 126: it cannot be run, 125: it was not started. Options end at SERVICE. On a terminal ctrl-p ctrl-q leaves',
    'the container running; without one, signals are passed on, and the third Ctrl-C kills.',
  ].join('\n'),
  interspersed: false,
  arity: [1, Number.POSITIVE_INFINITY],
  options,
  examples: [
    'caisson run --rm web sh',
    'caisson run -e A=1 web env',
    'gzip -dc dump.gz | caisson run --rm -T db restore',
  ],
  run: async (context, call) => {
    checkFlags(call)
    if (!call.values.dryRun) requireRoot()
    const [service = ''] = call.positionals
    const load = { services: [service], options: { dependencies: !call.values.noDeps } }
    const project = await loadProject(context, load)
    const isDetached = call.values.detach || call.values.dryRun
    return isDetached ? runDetached(context, call, project) : runAttached(context, call, project)
  },
})
