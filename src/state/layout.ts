/** Where everything lies under $CAISSON_ROOT (lasts) and $CAISSON_RUN (a reboot may take it). The only place with these names. */

export interface Roots {
  /** $CAISSON_ROOT, absolute. */
  readonly root: string
  /** $CAISSON_RUN, absolute. */
  readonly run: string
}

export const containersDirectory = ({ root }: Roots) => `${root}/containers`
export const runsDirectory = ({ run }: Roots) => `${run}/containers`
/** Run directories before they can be found. */
export const makingDirectory = ({ run }: Roots) => `${run}/making`
export const networksDirectory = ({ root }: Roots) => `${root}/networks`
export const volumesDirectory = ({ root }: Roots) => `${root}/volumes`
export const projectsDirectory = ({ root }: Roots) => `${root}/projects`
export const layersDirectory = ({ root }: Roots) => `${root}/content/layers`
export const journalFile = ({ root }: Roots) => `${root}/events`
export const binariesDirectory = ({ root }: Roots) => `${root}/bin`
export const lockFile = ({ root }: Roots, name: string) => `${root}/locks/${name}`
export const claimsDirectory = ({ run }: Roots) => `${run}/claims`

export interface ContainerPaths {
  readonly directory: string
  readonly record: string
  /** LaunchPlan, encoded. */
  readonly spec: string
  /** ExecPlan of the health check's command, encoded; absent: it has none. */
  readonly probe: string
  /** Undo list, encoded. */
  readonly undo: string
  readonly upper: string
  readonly work: string
  readonly log: string
  /** Status of the last run that ended. */
  readonly exit: string
}

export const containerPaths = (roots: Roots, id: string): ContainerPaths => {
  const directory = `${containersDirectory(roots)}/${id}`
  return {
    ...{ directory, record: `${directory}/record`, spec: `${directory}/spec`, undo: `${directory}/undo` },
    probe: `${directory}/probe`,
    ...{ upper: `${directory}/upper`, work: `${directory}/work`, log: `${directory}/log`, exit: `${directory}/exit` },
  }
}

/** What belongs to one run of a container. */
export interface RunPaths {
  readonly directory: string
  readonly alive: string
  readonly control: string
  readonly status: string
  /** Times and codes of the last probes; what each printed is in `<health>.<number>`. */
  readonly health: string
  readonly allocation: string
  readonly resolvConf: string
  readonly hosts: string
  readonly hostname: string
  /** Secrets and configs, by number. */
  readonly files: string
}

export const runPaths = (roots: Roots, id: string): RunPaths => {
  const directory = `${runsDirectory(roots)}/${id}`
  return {
    ...{ directory, alive: `${directory}/alive`, control: `${directory}/control.sock`, status: `${directory}/status` },
    ...{ health: `${directory}/health` },
    ...{ allocation: `${directory}/allocation`, resolvConf: `${directory}/resolv.conf`, hosts: `${directory}/hosts` },
    ...{ hostname: `${directory}/hostname`, files: `${directory}/files` },
  }
}

/** Values of variables that secrets and configs of a container come from: outlive a run, not a reboot. */
export const valuesFile = ({ run }: Roots, id: string) => `${run}/values/${id}`
export const networkRecordFile = (roots: Roots, id: string) => `${networksDirectory(roots)}/${id}/record`
export const volumePaths = (roots: Roots, name: string) => {
  const directory = `${volumesDirectory(roots)}/${name}`
  return { directory, record: `${directory}/record`, data: `${directory}/data` }
}
export const projectRecordFile = (roots: Roots, name: string) => `${projectsDirectory(roots)}/${name}/record`
