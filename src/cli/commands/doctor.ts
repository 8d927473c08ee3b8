import type { Check } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { choice, flag } from '../grammar.ts'
import { openReader } from '../runtime.ts'
import { systemdUnit, UNIT_FILE } from '../systemd-unit.ts'
import { EXIT } from '../usage.ts'

const SIGNS = { ok: ['green', '✔'], warning: ['yellow', '!'], missing: ['red', '✘'] } as const

const formatCheck = ({ stdout }: Context, check: Check): string => {
  const [colour, sign] = SIGNS[check.state]
  const fix = check.fix === undefined ? '' : `    fix: ${check.fix}\n`
  return `${stdout.style(colour, sign)} ${check.name}: ${check.message}\n${fix}`
}

export const doctor = defineCommand({
  usage: '',
  summary: 'Check what this machine can run; each missing thing comes with its fix',
  details: 'Exit code 4 where something is missing.',
  arity: [0, 0],
  options: {
    format: choice(['text', 'json'], 'text', 'Form of the output'),
    systemdUnit: flag(`Print the unit that brings services back after a reboot, for ${UNIT_FILE}`),
  },
  run: async (context, { values }) => {
    if (values.systemdUnit) {
      context.stdout.write(systemdUnit(context))
      return EXIT.ok
    }
    const checks = await openReader(context).doctor()
    const missing = checks.filter((check) => check.state === 'missing').length
    if (values.format === 'json')
      context.stdout.write(`${JSON.stringify({ version: 1, ok: missing === 0, checks }, null, 2)}\n`)
    else {
      context.stdout.write(checks.map((check) => formatCheck(context, check)).join(''))
      context.stdout.write(missing === 0 ? 'This machine can run projects.\n' : `${missing} missing.\n`)
    }
    return missing === 0 ? EXIT.ok : EXIT.host
  },
})
