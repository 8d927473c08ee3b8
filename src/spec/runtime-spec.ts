import type { Service } from '../compose/project.ts'
import type { HostFacts } from '../native/host-facts.ts'
import type { ImageConfig } from '../oci/image-config.ts'
import type { RuntimeSpec } from '../oci/runtime-spec.ts'
import type { Allocation } from './allocation.ts'

/** What a process is made from; `exec` needs no more. */
export interface ProcessInput {
  /** The definition that the container was made from. */
  readonly service: Service
  readonly image: ImageConfig
  readonly facts: HostFacts
  readonly allocation: Pick<Allocation, 'id' | 'project' | 'cgroupParent' | 'accounts'>
}

export interface SpecInput extends ProcessInput {
  readonly allocation: Allocation
}

/**
 * What is to run, in the OCI runtime specification's words. Pure.
 * Throws ProjectError with every value of the service that has no meaning for this image or host.
 */
export const createRuntimeSpec = (_input: SpecInput): RuntimeSpec => {
  throw new Error('not yet')
}
