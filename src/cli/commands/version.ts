import { defineCommand } from '../command.ts'
import { choice, flag } from '../grammar.ts'
import { packageVersion } from '../version.ts'

export const version = defineCommand({
  usage: '',
  summary: 'Show the version',
  arity: [0, 0],
  options: {
    format: choice(['pretty', 'json'], 'pretty', 'Form of the output', 'f'),
    short: flag('Show the number only'),
  },
  run: ({ stdout }, { values }) => {
    const number = packageVersion()
    if (values.short) stdout.write(`${number}\n`)
    else if (values.format === 'json') stdout.write(`${JSON.stringify({ version: `v${number}` })}\n`)
    else stdout.write(`Caisson version v${number}\n`)
    return 0
  },
})
