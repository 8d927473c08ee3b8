import { defineCommand } from '../command.ts'
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../detach-keys.ts'
import { flag, integer, text } from '../grammar.ts'
import { Relay } from '../relay.ts'
import { openReader, requireRoot } from '../runtime.ts'
import { findTarget } from '../target.ts'

export const attach = defineCommand({
  usage: 'SERVICE',
  summary: 'Connect this terminal to a running container of a service',
  details: [
    'Output from now on; stdin only where the service has stdin_open. The exit code is that of the container when it ends.',
    'The detach keys leave it running. Without a terminal, signals are passed on: Ctrl-C ends the service.',
  ].join('\n'),
  arity: [1, 1],
  options: {
    detachKeys: text('KEYS', `Keys that detach; ${DEFAULT_DETACH_KEYS} unless given`),
    index: integer('N', 'Which container of a service with several', undefined, 1),
    noStdin: flag('Leave its stdin alone'),
    sigProxy: { ...flag('Pass signals on; --sig-proxy=false does not'), initial: true },
  },
  examples: ['caisson attach shell', 'caisson attach --no-stdin --sig-proxy=false web'],
  run: async (context, { values, positionals: [service = ''] }) => {
    const detachKeys = parseDetachKeys(values.detachKeys ?? DEFAULT_DETACH_KEYS)
    requireRoot()
    const engine = openReader(context)
    const { name } = await findTarget(context, engine)
    const attached = await engine.attach(name, { service, index: values.index })
    const relay = new Relay(attached, {
      ...{ stdin: !values.noStdin, detachKeys, isOwner: false },
      forwardSignals: values.sigProxy,
    })
    try {
      relay.start()
      const end = await relay.ended()
      return end?.kind === 'exited' ? end.code : 0
    } finally {
      relay.close()
    }
  },
})
