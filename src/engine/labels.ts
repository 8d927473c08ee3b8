import type { Project, Service } from '../compose/project.ts'

export interface LabelFacts {
  readonly number: number
  readonly configHash: string
  /** Identity of the image. */
  readonly image: string
  readonly oneOff: boolean
  /** Of the image: those of the service go before them. */
  readonly imageLabels: Readonly<Record<string, string>>
}

const PREFIX = 'com.docker.compose'

/** The labels that Compose gives a container, over the service's own: tools of the ecosystem find containers by them. */
export const labelsOf = (
  project: Project | undefined,
  service: Service,
  facts: LabelFacts,
): Readonly<Record<string, string>> => ({
  ...facts.imageLabels,
  ...service.labels,
  [`${PREFIX}.project`]: project?.name ?? '',
  [`${PREFIX}.service`]: service.name,
  [`${PREFIX}.config-hash`]: facts.configHash,
  [`${PREFIX}.container-number`]: String(facts.number),
  [`${PREFIX}.oneoff`]: facts.oneOff ? 'True' : 'False',
  [`${PREFIX}.image`]: facts.image,
  [`${PREFIX}.depends_on`]: Object.entries(service.dependsOn)
    .map(([name, { condition, restart }]) => `${name}:${condition}:${restart}`)
    .join(','),
  [`${PREFIX}.project.working_dir`]: project?.workingDirectory ?? '',
  [`${PREFIX}.project.config_files`]: project?.composeFiles.join(',') ?? '',
})
