import { defineCommand } from '../command.ts'
import { accepted, flag, hidden, integer, list, text } from '../grammar.ts'
import { findTarget } from '../target.ts'
import { openReader, requireRoot } from '../runtime.ts'

export const exec = defineCommand({
  usage: 'SERVICE COMMAND [ARGS…]',
  summary: 'Run a command in a running container of a service',
  details: 'It gets a terminal where stdin and stdout are one; its exit code is passed on. Options end at SERVICE.',
  interspersed: false,
  arity: [2, Number.POSITIVE_INFINITY],
  options: {
    detach: flag('Run it in the background', 'd'),
    env: list('NAME=VALUE', 'Environment variable; NAME alone takes the value of this shell', 'e'),
    index: integer('N', 'Which container of a service with several', undefined, 1),
    noTty: flag('Without a terminal', 'T'),
    privileged: flag('With all capabilities'),
    user: text('USER[:GROUP]', 'Run as this user', 'u'),
    workdir: text('DIR', 'Working directory inside the container', 'w'),
    interactive: accepted(flag('', 'i')),
    tty: hidden(flag('', 't')),
  },
  examples: ['caisson exec web sh', 'caisson exec -T store cat /data/dump > dump', 'caisson exec -e A=1 web env'],
  run: async (context, { values, positionals: [service = '', ...command] }) => {
    requireRoot()
    const engine = openReader(context)
    const { name } = await findTarget(context, engine)
    const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true
    return engine.exec(name, {
      service,
      index: values.index,
      command,
      env: values.env.flatMap((item) => {
        if (item.includes('=')) return [item]
        const value = context.env[item]
        return value === undefined ? [] : [`${item}=${value}`]
      }),
      workingDir: values.workdir,
      user: values.user,
      privileged: values.privileged,
      tty: terminal && !values.noTty && !values.detach,
      interactive: !values.detach,
      detach: values.detach,
    })
  },
})
