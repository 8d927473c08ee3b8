/** A service that failed: as text for people, as one JSON object for programs. */
import type { Verdict } from '../verdicts.ts'
import { type Ci, harmlessLine } from './ci.ts'
import { plainText } from './plain-text.ts'
import type { Style } from './style.ts'

interface Details {
  readonly probes: Verdict['probes']
  readonly output: readonly string[]
}

/** What the last probes and the service itself said, each line apart and harmless. */
export const formatDetails = ({ probes, output }: Details, ci: Ci, style: Style): string => {
  const said = probes.flatMap(({ exitCode, output: text }) => {
    const [first = '', ...more] = text.trimEnd().split('\n')
    return [`probe (exit code ${exitCode}): ${first}`, ...more]
  })
  return [...said, ...output].map((line) => `  ${style('dim', '|')} ${harmlessLine(ci, plainText(line))}\n`).join('')
}

export const formatFailure = (verdict: Verdict, ci: Ci, style: Style): { head: string; lines: string } => {
  const { service, message, health, probes, stdout, stderr } = verdict
  const details = { probes: health === 'unhealthy' ? probes : [], output: [...stdout, ...stderr] }
  return { head: `service ${service}: ${plainText(message)}\n`, lines: formatDetails(details, ci, style) }
}

/** Fields of version 1; later ones only add. */
export const failureDocument = (verdict: Verdict): object => ({
  version: 1,
  kind: 'failure',
  service: verdict.service,
  container: verdict.container,
  message: verdict.message,
  exitCode: verdict.exitCode ?? null,
  signal: verdict.signal,
  oomKilled: verdict.oomKilled,
  health: { status: verdict.health, probes: verdict.probes },
  stdout: verdict.stdout,
  stderr: verdict.stderr,
})
