/** A JUnit file of a project: one test case for each service. */
import type { Verdict } from '../verdicts.ts'
import { plainText } from './plain-text.ts'

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** What XML cannot say is left out. */
const textOf = (lines: readonly string[]): string => lines.map((line) => escapeXml(plainText(line))).join('\n')

const attribute = (text: string): string => textOf([text.replaceAll('\n', ' ')])

const healthLines = ({ health, probes }: Verdict): readonly string[] =>
  health === 'none' && probes.length === 0
    ? []
    : [
        `health: ${health}`,
        ...probes.flatMap(({ exitCode, output }) => [`probe: exit code ${exitCode}`, ...output.trimEnd().split('\n')]),
      ]

const outcome = (verdict: Verdict): string => {
  const { state, message, exitCode, signal, oomKilled } = verdict
  if (state === 'passed') return ''
  if (state === 'skipped') return `      <skipped message="${attribute(message)}"/>\n`
  const type = oomKilled ? 'oom' : signal > 0 ? 'signal' : exitCode === undefined ? 'failure' : 'exit'
  const facts = [
    message,
    ...(exitCode === undefined ? [] : [`exit code: ${exitCode}`]),
    ...(signal === 0 ? [] : [`signal: ${signal}`]),
    ...healthLines(verdict),
  ]
  return `      <failure type="${type}" message="${attribute(message)}">${textOf(facts)}</failure>\n`
}

const output = (name: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `      <${name}>${textOf(lines)}</${name}>\n`

const testCase = (project: string, verdict: Verdict): string => {
  const head = `    <testcase classname="${attribute(project)}" name="${attribute(verdict.service)}" time="${verdict.seconds.toFixed(3)}">\n`
  return `${head}${outcome(verdict)}${output('system-out', verdict.stdout)}${output('system-err', verdict.stderr)}    </testcase>\n`
}

export const formatJunit = (project: string, verdicts: readonly Verdict[]): string => {
  const count = (state: Verdict['state']): number => verdicts.filter((verdict) => verdict.state === state).length
  const counts = `tests="${verdicts.length}" failures="${count('failed')}" errors="0" skipped="${count('skipped')}"`
  const time = Math.max(0, ...verdicts.map(({ seconds }) => seconds)).toFixed(3)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites ${counts} time="${time}">\n`,
    `  <testsuite name="${attribute(project)}" ${counts} time="${time}">\n`,
    ...verdicts.map((verdict) => testCase(project, verdict)),
    '  </testsuite>\n</testsuites>\n',
  ].join('')
}
