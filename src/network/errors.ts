import { CaissonError } from '../errors.ts'

/**
 * EPORTINUSE, EPORT: a host port cannot be had. ESUBNET, EADDRESS: an address cannot be had. ENETWORKLOCKED: another
 * command holds locks/net. EFIREWALL: the kernel refused an nf_tables batch.
 */
export type NetworkErrorCode = 'EPORTINUSE' | 'EPORT' | 'ESUBNET' | 'EADDRESS' | 'ENETWORKLOCKED' | 'EFIREWALL'

export class NetworkError extends CaissonError {
  declare readonly code: NetworkErrorCode
  constructor(code: NetworkErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options)
    this.name = 'NetworkError'
  }
}
