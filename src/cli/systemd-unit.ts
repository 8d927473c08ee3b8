/** The unit that brings services back after a reboot. */
import type { Context } from './context.ts'
import { runDirectory, stateRoot } from './runtime.ts'

export const UNIT_FILE = '/etc/systemd/system/caisson.service'

/** A word of a command line, systemd.service(5): % and $ would be specifiers and variables. */
const word = (text: string): string =>
  `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`

const environment = ({ env }: Context): readonly string[] =>
  [
    ['CAISSON_ROOT', env.CAISSON_ROOT && stateRoot(env)],
    ['CAISSON_RUN', env.CAISSON_RUN && runDirectory(env)],
  ].flatMap(([name, value]) => (value ? [`Environment=${word(`${name}=${value}`)}`] : []))

/** Monitors live in cgroups of their own and outlive the unit; KillMode=process says so to systemd as well. */
export const systemdUnit = (context: Context): string =>
  `${[
    '[Unit]',
    'Description=Services of Caisson that are to run again after a reboot',
    `RequiresMountsFor=${word(stateRoot(context.env))}`,
    'Wants=network-online.target',
    'After=network-online.target nss-lookup.target nftables.service firewalld.service ufw.service docker.service',
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    ...environment(context),
    `ExecStart=${[process.execPath, ...process.argv.slice(1, 2), 'system', 'boot'].map(word).join(' ')}`,
    'KillMode=process',
    'TimeoutStartSec=infinity',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ].join('\n')}\n`
