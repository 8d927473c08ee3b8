import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readMount, readPorts, readVariables, readWords } from '../../src/compose/arguments.ts'

const here = { directory: '/work', home: '/home/me' }
const mount = (text: string) => {
  const read = readMount(text, here)
  if ('mistake' in read) return 'mistake'
  return `${read.type} ${'source' in read ? (read.source ?? '') : ''} ${read.target} ${read.readOnly ? 'ro' : 'rw'}`
}

for (const [text, expected] of [
  ['data:/x', 'volume data /x rw'],
  ['/x', 'volume  /x rw'],
  ['./a/../b:/x:ro', 'bind /work/b /x ro'],
  ['~/a:/x', 'bind /home/me/a /x rw'],
  ['/a:/x/', 'bind /a /x rw'],
  ['data:x', 'mistake'],
  [':/x', 'mistake'],
  ['a:/b:ro:more', 'mistake'],
] as const)
  test(`--volume ${text}`, () => assert.is(mount(text), expected))

test('ports have the short forms of a file', () => {
  const [one, two] = readPorts('127.0.0.1:8000-8001:80-81/udp') as Exclude<
    ReturnType<typeof readPorts>,
    { mistake: string }
  >
  assert.equal(one, {
    target: 80,
    published: { first: 8000, last: 8000 },
    hostIp: '127.0.0.1',
    protocol: 'udp',
    path: [],
  })
  assert.is(two?.target, 81)
  for (const wrong of ['x', '1:2:3:4', '80/icmp', '70000']) assert.ok('mistake' in readPorts(wrong), wrong)
})

test('words are split as in a shell, variables of a file as in .env', () => {
  assert.equal(readWords(`sh -c 'a b'`), ['sh', '-c', 'a b'])
  assert.equal(readWords(''), [])
  assert.ok('mistake' in readWords(`'open`))
  const variables = readVariables('A=1\nB="${A}2"\nC\n', (name) => (name === 'C' ? 'shell' : undefined))
  assert.equal(
    [...(variables as ReadonlyMap<string, string>)],
    [
      ['A', '1'],
      ['B', '12'],
      ['C', 'shell'],
    ],
  )
  assert.ok('mistake' in readVariables('A="open', () => undefined))
})

test.run()
