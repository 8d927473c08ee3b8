import { netdFilter } from '../linux/netd-filter.ts'
import { knownMachine } from './lower-process.ts'

/** The filter of netd on this machine. */
export const resolverFilter = (machine: string): Uint8Array => netdFilter(knownMachine(machine))
