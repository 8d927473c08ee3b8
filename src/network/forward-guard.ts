/**
 * A foreign FORWARD chain that drops (Docker, ufw, firewalld) drops our packets whatever our own table says: all base
 * chains of a hook must accept. Beside such a chain stands one tagged pair of rules for our bridge prefix, which goes with
 * the last network. Who may talk to whom is still decided by our own table, on the same hook.
 */
import { readFileSync } from 'node:fs'
import { accept, compare, meta, R1 } from '../linux/nf-expressions.ts'
import { type DumpedChain, type DumpedRule, readChains, readExpressions, readRules } from '../linux/nf-dump.ts'
import {
  deleteRule,
  dumpChains,
  dumpRules,
  FAMILY,
  HOOK,
  insertRule,
  type TableMessage,
  VERDICT,
} from '../linux/nf-tables.ts'
import { deleteEach, dump, transact } from './firewall.ts'
import type { NetworkRoot } from './network-root.ts'
import { BRIDGE_PREFIX, TABLE } from './table.ts'

/** What stands in the way of forwarded packets, for `doctor`. */
export interface ForwardBarrier {
  /** `ip filter FORWARD: policy drop` */
  readonly rule: string
  /** Our pair of rules is in place. */
  readonly open: boolean
  /** What to do where we cannot open it ourselves. */
  readonly hint: string | undefined
}

interface Place {
  readonly family: number
  readonly table: string
  readonly chain: string
}
interface Barrier {
  readonly rule: string
  /** Chain that our pair belongs in: DOCKER-USER, which Docker leaves to others, before FORWARD itself. */
  readonly place: Place
  readonly open: boolean
}

const UNCONDITIONAL = ['counter', 'log', 'immediate', 'reject']
const TAG = 'caisson forward'
const USER_CHAIN = 'DOCKER-USER'
const FAMILY_NAME: Readonly<Record<number, string>> = { [FAMILY.ip]: 'ip', [FAMILY.inet]: 'inet' }

const isForeignForward = (chain: DumpedChain): boolean =>
  chain.base?.hook === HOOK.forward &&
  FAMILY_NAME[chain.family] !== undefined &&
  !(chain.family === TABLE.family && chain.table === TABLE.table)

const isUserChain = (chain: DumpedChain): boolean =>
  chain.chain === USER_CHAIN && FAMILY_NAME[chain.family] !== undefined

const isSame = (one: Place, other: Place): boolean =>
  one.family === other.family && one.table === other.table && one.chain === other.chain

/** Only counted or logged before: every packet that gets there is dropped. */
const isUnconditionalDrop = (rule: DumpedRule | undefined): boolean => {
  if (rule === undefined) return false
  const { names, verdict } = readExpressions(rule)
  const drops = verdict === VERDICT.drop || names.includes('reject')
  return drops && names.every((name) => UNCONDITIONAL.includes(name))
}

const whatDrops = (chain: DumpedChain, rules: readonly DumpedRule[]): string | undefined => {
  const name = `${FAMILY_NAME[chain.family]} ${chain.table} ${chain.chain}`
  if (chain.base?.policy === VERDICT.drop) return `${name}: policy drop`
  return isUnconditionalDrop(rules.filter((rule) => isSame(rule, chain)).at(-1))
    ? `${name}: last rule drops`
    : undefined
}

const barriersOf = (chains: readonly DumpedChain[], rules: readonly DumpedRule[]): readonly Barrier[] =>
  chains.filter(isForeignForward).flatMap((chain) => {
    const rule = whatDrops(chain, rules)
    if (rule === undefined) return []
    const user = chains.find((other) => isSame(other, { ...chain, chain: USER_CHAIN }))
    const place: Place = user ?? chain
    return [{ rule, place, open: rules.some((other) => other.comment === TAG && isSame(other, place)) }]
  })

const tagged = (place: Place, key: 'iifname' | 'oifname'): TableMessage =>
  insertRule({
    ...place,
    expressions: [meta(key, R1), compare(R1, 'eq', Buffer.from(BRIDGE_PREFIX)), accept],
    comment: TAG,
  })

/** Rules of the chains that matter, and of no others: a host may have thousands. */
const relevantRules = async (root: NetworkRoot, chains: readonly DumpedChain[]): Promise<readonly DumpedRule[]> => {
  const rules: DumpedRule[] = []
  for (const { family, table, chain } of chains.filter((chain) => isForeignForward(chain) || isUserChain(chain))) {
    rules.push(...readRules(await dump(root, dumpRules({ family, table, chain }))))
  }
  return rules
}

const allChains = async (root: NetworkRoot): Promise<readonly DumpedChain[]> =>
  readChains(await dump(root, dumpChains(FAMILY.unspec)))

const findBarriers = async (root: NetworkRoot): Promise<readonly Barrier[]> => {
  const chains = await allChains(root)
  return chains.some(isForeignForward) ? barriersOf(chains, await relevantRules(root, chains)) : []
}

/** Adds our pair where it is missing. A chain that belongs to somebody who lets nobody in (owner flag) stays as it is. */
export const openForward = async (root: NetworkRoot): Promise<void> => {
  for (const { place, open } of await findBarriers(root)) {
    if (open) continue
    const pair = [tagged(place, 'oifname'), tagged(place, 'iifname')]
    await transact(root, 'let our networks through', pair).catch(() => undefined)
  }
}

/** Removes every pair of ours. */
export const closeForward = async (root: NetworkRoot): Promise<void> => {
  const ours = (await relevantRules(root, await allChains(root))).filter(({ comment }) => comment === TAG)
  await deleteEach(root, 'remove our rules from the forward chains', ours.map(deleteRule))
}

const LEGACY_TABLES = '/proc/net/ip_tables_names'
const LEGACY: ForwardBarrier = {
  rule: 'iptables-legacy filter FORWARD: cannot be read',
  open: false,
  hint: `if its policy is DROP: iptables-legacy -I FORWARD -i ${BRIDGE_PREFIX}+ -j ACCEPT; iptables-legacy -I FORWARD -o ${BRIDGE_PREFIX}+ -j ACCEPT`,
}

/** iptables-legacy is not nf_tables: only that it has a filter table can be seen, and only in our own namespace. */
const hasLegacyFilter = (root: NetworkRoot): boolean => {
  try {
    return root.own && readFileSync(LEGACY_TABLES, 'utf8').split('\n').includes('filter')
  } catch {
    return false
  }
}

/** For `doctor`: every foreign rule that stops forwarded packets, whether it is open for us, and what to do if not. */
export const forwardBarriers = async (root: NetworkRoot): Promise<readonly ForwardBarrier[]> => {
  const found = (await findBarriers(root)).map(({ rule, place, open }) => ({
    rule,
    open,
    hint: open ? undefined : `accept interfaces called ${BRIDGE_PREFIX}* in ${place.table} ${place.chain}`,
  }))
  return hasLegacyFilter(root) ? [...found, LEGACY] : found
}
