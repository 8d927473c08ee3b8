/** How each service of a project has fared: what failure reports, annotations and JUnit files are made from. */
import {
  ChangeError,
  type ContainerDetails,
  type ContainerRow,
  type Engine,
  ExecError,
  ServiceError,
} from '../index.ts'

export interface Probe {
  readonly exitCode: number
  readonly output: string
}

export interface Verdict {
  readonly service: string
  /** Empty: it has none. */
  readonly container: string
  readonly state: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped: `web-1 exited with code 3`. */
  readonly message: string
  /** undefined: it has not ended. */
  readonly exitCode: number | undefined
  /** 0: none. */
  readonly signal: number
  readonly oomKilled: boolean
  readonly health: ContainerRow['health']
  readonly probes: readonly Probe[]
  /** It ran so long. */
  readonly seconds: number
  /** Last lines, as they were written. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
}

export const LINES = 20

/** In Compose's words, except for what it does not say. */
export const howItEnded = ({
  exitCode,
  signal,
  oomKilled,
}: Pick<ContainerRow, 'exitCode' | 'signal' | 'oomKilled'>): string => {
  if (oomKilled) return 'was killed for lack of memory'
  return signal === 0 ? `exited with code ${exitCode}` : `was killed by signal ${signal}`
}

const stateOf = (row: ContainerRow, stopped: boolean): Pick<Verdict, 'state' | 'message'> => {
  if (row.state === 'exited' && (row.exitCode === 0 || stopped)) return { state: 'passed', message: '' }
  if (row.state === 'exited') return { state: 'failed', message: `${row.name} ${howItEnded(row)}` }
  if (row.state === 'restarting') {
    return { state: 'failed', message: `${row.name} exited with code ${row.exitCode} and is started again` }
  }
  if (row.state === 'dead') return { state: 'failed', message: `${row.name} was lost: its monitor was killed` }
  if (row.health === 'unhealthy') return { state: 'failed', message: `${row.name} is unhealthy` }
  return row.state === 'created'
    ? { state: 'skipped', message: `${row.name} did not start` }
    : { state: 'passed', message: '' }
}

const secondsOf = ({ startedAt, finishedAt, state }: ContainerRow, now: number): number => {
  if (startedAt === 0) return 0
  return Math.max(0, ((state === 'exited' && finishedAt > 0 ? finishedAt : now) - startedAt) / 1000)
}

export const NOTHING = {
  exitCode: undefined,
  signal: 0,
  oomKilled: false,
  health: 'none',
  probes: [],
  seconds: 0,
} as const

/** All of a verdict but what was written. */
type Judgement = Omit<Verdict, 'stdout' | 'stderr'> & { readonly id: string }

const judge = ({ row, status, health }: ContainerDetails, now: number): Judgement => ({
  ...{ id: row.id, service: row.service, container: row.name, ...stateOf(row, status?.stopped ?? false) },
  ...{ exitCode: row.state === 'exited' ? row.exitCode : undefined, signal: row.signal, oomKilled: row.oomKilled },
  ...{ health: row.health, seconds: secondsOf(row, now) },
  probes: (health?.log ?? []).map(({ exitCode, output }) => ({ exitCode, output })),
})

const NO_LINES = { stdout: [], stderr: [] } as const

/** Of all containers of the services, or of those that failed; without those of `run`. */
export const judgeContainers = async (
  engine: Engine,
  project: string,
  services: readonly string[],
  which: 'all' | 'failed',
): Promise<readonly Verdict[]> => {
  const rows = (await engine.ps(project)).filter((row) => !row.oneOff && services.includes(row.service))
  const details = await engine.details(rows.map(({ id }) => id))
  const now = Date.now()
  const judgements = details.map((each) => judge(each, now)).filter(({ state }) => which === 'all' || state === which)
  const lines = await engine.lastLines(
    judgements.map(({ id }) => id),
    LINES,
  )
  return judgements.map(({ id, ...judgement }) => ({ ...judgement, ...(lines.get(id) ?? NO_LINES) }))
}

/** What a change says of its services; `run` wraps it. */
export const errorsOf = (failure: unknown): readonly ServiceError[] => {
  const change = failure instanceof ExecError ? failure.cause : failure
  const errors = change instanceof ChangeError ? change.errors : [change]
  return errors.filter((error): error is ServiceError => error instanceof ServiceError)
}

const RANK = { failed: 0, skipped: 1, passed: 2 } as const

/** One for each service: that of the container that fared worst. `failure`: what the command threw, if anything. */
export const judgeServices = async (
  engine: Engine,
  project: string,
  services: readonly string[],
  failure: unknown,
): Promise<readonly Verdict[]> => {
  const containers = await judgeContainers(engine, project, services, 'all')
  const failures = new Map(errorsOf(failure).map((error) => [error.service, error]))
  return services.map((service) => {
    const own = containers.filter((verdict) => verdict.service === service)
    const worst = own.reduce<Verdict | undefined>(
      (found, each) => (found === undefined || RANK[each.state] < RANK[found.state] ? each : found),
      undefined,
    )
    const known = worst ?? {
      ...{ service, container: '', state: 'skipped', message: 'it was not started', ...NOTHING },
      ...NO_LINES,
    }
    const error = failures.get(service)
    return error === undefined ? known : { ...known, state: 'failed' as const, message: error.message }
  })
}
