/**
 * What this host's own processes need to reach a container's published ports: on the output hook the kernel knows the
 * client's socket only, so that the base table could not ask for our listener there, and an element left by a killed
 * monitor would shadow whoever has the port now. Hence a small table for each container that publishes, owned by its
 * monitor's netlink socket: it ends with the monitor, whatever ends that. Only the first packet of a flow of this host's
 * own pays for it.
 */
import {
  addBaseChain,
  addOwnedTable,
  addSet,
  appendRule,
  FAMILY,
  HOOK,
  PRIORITY,
  type TableMessage,
} from '../linux/nf-tables.ts'
import { addPublications, type Publication } from './elements.ts'
import { publishedAnywhere, publishedAtAddress, SETS, TABLE, toContainer, toThisHost } from './table.ts'

/** Messages for the monitor's own socket. `owner`: container id. */
export const localTable = (owner: string, publications: readonly Publication[]): readonly TableMessage[] => {
  const table = { family: FAMILY.ip, table: `${TABLE.table}-${owner}` }
  const chain = 'output'
  const rule = (comment: string, match: typeof publishedAnywhere) =>
    appendRule({ ...table, chain, expressions: [...match, ...toThisHost, toContainer], comment })
  return [
    addOwnedTable(table),
    addBaseChain({ ...table, chain, type: 'nat', hook: HOOK.output, priority: PRIORITY.dstnat, policy: 'accept' }),
    ...[SETS.published, SETS.publishedAt].map((set) => addSet({ ...set, ...table })),
    rule('published on an address', publishedAtAddress),
    rule('published', publishedAnywhere),
    ...addPublications(publications, table),
  ]
}
