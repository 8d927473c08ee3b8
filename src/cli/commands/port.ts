import { CaissonError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { choice, integer } from '../grammar.ts'
import { findTarget } from '../target.ts'
import { hostAddress } from '../render/container.ts'
import { openReader } from '../runtime.ts'
import { UsageError } from '../usage.ts'

/** `80` or `80/udp`. */
const readPort = (word: string, protocol: 'tcp' | 'udp'): { port: number; protocol: 'tcp' | 'udp' } => {
  const [, digits, named] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(word) ?? []
  const port = Number(digits)
  if (digits === undefined || port < 1 || port > 65_535) throw new UsageError(`not a port: "${word}"`)
  return { port, protocol: named === undefined ? protocol : named === 'udp' ? 'udp' : 'tcp' }
}

export const port = defineCommand({
  usage: 'SERVICE PRIVATE_PORT',
  summary: 'Show the host address at which a port of a service is published',
  arity: [2, 2],
  options: {
    index: integer('N', 'Which container of a service with several', undefined, 1),
    protocol: choice(['tcp', 'udp'], 'tcp', 'Protocol of the port'),
  },
  run: async (context, { values, positionals: [service = '', word = ''] }) => {
    const asked = readPort(word, values.protocol)
    const engine = openReader(context)
    const { name } = await findTarget(context, engine)
    const found = await engine.port(name, { service, index: values.index, ...asked })
    if (found === undefined) {
      throw new CaissonError('ENOPORT', `port ${asked.port}/${asked.protocol} of service ${service} is not published`)
    }
    context.stdout.write(`${hostAddress(found)}\n`)
    return 0
  },
})
