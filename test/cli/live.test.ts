import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { repository } from '../helpers/imports.ts'
import { skipTest } from '../helpers/root.ts'
import { hasTerminal, NO_TERMINAL, Terminal } from '../helpers/terminal.ts'

const demo = [
  process.execPath,
  '--import',
  `${repository}/node_modules/tsx/dist/esm/index.mjs`,
  `${repository}/test/cli/live-demo.ts`,
]

const onTerminal = async (...args: string[]): Promise<Terminal> => {
  const terminal = new Terminal([...demo, ...args], { cwd: tmpdir() })
  assert.is(await terminal.ended, 0, terminal.text)
  return terminal
}

const terminalTest = (name: string, run: () => Promise<void>): void => {
  if (hasTerminal) test(name, run)
  else skipTest(test, name, NO_TERMINAL)
}

terminalTest('a change that takes its time is a live list with a row for each thing', async () => {
  const { text, raw } = await onTerminal()
  assert.match(text, /✔ Network shop_default {2}Created {2}12ms/)
  assert.match(text, /✔ Container shop-web-1 {2}Started {2}1\.5s/)
  assert.match(text, /warning: A key has no effect/)
  assert.match(raw, /\x1b\[\d*A/)
  assert.ok(text.trimEnd().endsWith('closed'))
})

terminalTest('a failed row is marked, and the list ends', async () => {
  const { text } = await onTerminal('fails')
  assert.match(text, /✖ Container shop-web-1 {2}Error/)
})

terminalTest('a change that is over at once is plain lines', async () => {
  const { text } = await onTerminal('fast')
  assert.is(
    text,
    ' Network shop_default  Created\nwarning: A key has no effect [x]\n Container shop-web-1  Created\n Container shop-web-1  Started\nclosed\n',
  )
})

terminalTest('--progress plain is plain lines on a terminal too', async () => {
  const { raw } = await onTerminal('plain')
  assert.not.match(raw, /\x1b\[\d*A/)
})

test('without a terminal there is one line for each state change, on stderr', () => {
  const [file = '', ...args] = demo
  const { stdout, stderr } = spawnSync(file, [...args, 'fails'], { encoding: 'utf8' })
  assert.is(stdout, 'closed\n')
  assert.is(
    stderr,
    ' Network shop_default  Created\nwarning: A key has no effect [x]\n Container shop-web-1  Error\n Container shop-web-1  Skipped\n',
  )
})

test.run()
