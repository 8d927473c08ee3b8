import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot, skipTest } from '../helpers/root.ts'
import { cleanUp, eventually, folder } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

/** Runs a firewall program of the machine, if it has it. */
const have = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
const sh = (script: string): string => {
  const result = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${script}: ${result.stderr}`)
  return result.stdout
}
const project = folder(`
services:
  web:
    image: caisson/host
    stop_signal: SIGKILL
    command: node -e "require('http').createServer((q,s)=>s.end('hi')).listen(80)"
    ports: ["18180:80"]
  client:
    image: caisson/host
    stop_signal: SIGKILL
    command: sleep 1000
`)
const outside = process.env.CAISSON_TEST_PREFIX ?? `n${process.pid}`
const ask = (): string => {
  const script = `const r=require('http').get({host:'10.214.7.1',port:18180,timeout:1500,agent:false},s=>s.on('data',d=>process.stdout.write(d)));r.on('error',e=>process.stdout.write(e.code));r.on('timeout',()=>{process.stdout.write('timeout');process.exit()})`
  return spawnSync('ip', ['netns', 'exec', outside, process.execPath, '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  }).stdout
}
const between = (): string =>
  project.run(
    'exec',
    '-T',
    'client',
    'node',
    '-e',
    `require('http').get({host:'web',timeout:3000},s=>s.on('data',d=>process.stdout.write(d))).on('error',e=>console.log(e.code))`,
  )

test.before(() => {
  if (process.getuid?.() !== 0) return
  sh(
    `ip netns add ${outside} && ip link add ${outside}h type veth peer name up0 netns ${outside} && ip addr add 10.214.7.1/24 dev ${outside}h && ip link set ${outside}h up && ip -n ${outside} addr add 10.214.7.2/24 dev up0 && ip -n ${outside} link set up0 up`,
  )
})
test.after(() => {
  spawnSync('sh', [
    '-c',
    `ip netns del ${outside}; ip link del ${outside}h; iptables -P FORWARD ACCEPT; nft flush ruleset`,
  ])
})

test('a published port answers from a second namespace', async () => {
  project.run('up', '-d')
  await eventually(() => ask() === 'hi', 'an answer')
})

const withProgram = (program: string, name: string, run: () => Promise<void>): void =>
  have(program) ? void test(name, run) : skipTest(test, name, `needs ${program}`)

withProgram('nft', 'flush ruleset is healed by the next command', async () => {
  sh('nft flush ruleset')
  assert.is.not(ask(), 'hi')
  project.run('ps')
  project.run('up', '-d')
  await eventually(() => ask() === 'hi', 'an answer after the repair')
})

withProgram(
  'iptables',
  'a foreign FORWARD policy of DROP, with bridged traffic through iptables, does not stop us',
  async () => {
    sh('iptables -P FORWARD DROP')
    const bridged = '/proc/sys/net/bridge/bridge-nf-call-iptables'
    const before = existsSync(bridged) ? readFileSync(bridged, 'utf8') : undefined
    if (before !== undefined) writeFileSync(bridged, '1')
    try {
      project.run('up', '-d')
      await eventually(() => ask() === 'hi', 'an answer')
      assert.is(between(), 'hi')
      const doctor = project.try(['doctor'])
      assert.match(doctor.stdout + doctor.stderr, /FORWARD/)
      project.run('down')
      assert.not.match(sh('iptables -S FORWARD'), /cs-/)
    } finally {
      if (before !== undefined) writeFileSync(bridged, before)
      sh('iptables -P FORWARD ACCEPT')
    }
  },
)

test('down leaves no table of ours', () => {
  project.run('down')
  if (have('nft')) assert.not.match(sh('nft list tables'), /caisson/)
})

test.run()
