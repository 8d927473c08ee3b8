import { spawnSync } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const server = `node -e "require('http').createServer((q,s)=>s.end('hi from '+q.socket.remoteAddress)).listen(80,'0.0.0.0');require('dgram').createSocket('udp4').on('message',function(m,r){this.send('echo '+m,r.port,r.address)}).bind(53)"`
const project = folder(`
services:
  web:
    image: caisson/host
    stop_signal: SIGKILL
    command: ${server}
    ports:
      - "18080:80"
      - "127.0.0.1:18081:80"
      - target: 80
      - "18090-18092:90-92"
      - "18053:53/udp"
      - "[::1]:18082:80"
  client:
    image: caisson/host
    stop_signal: SIGKILL
    command: sleep 1000
`)

/** GET from this process's network namespace; node, so that no other program is needed. */
const get = (host: string, port: number): string => {
  const script = `const r=require('http').get({host:'${host}',port:${port},timeout:3000,agent:false},s=>s.on('data',d=>process.stdout.write(d)));r.on('error',e=>process.stdout.write(e.code));r.on('timeout',()=>{process.stdout.write('timeout');process.exit()})`
  return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 20_000 }).stdout
}
const up = (): void => {
  project.run('up', '-d')
}

test('a published port answers on 127.0.0.1 and [::1]', async () => {
  up()
  await eventually(() => /^hi/.test(get('127.0.0.1', 18080)), 'an answer')
  assert.match(get('::1', 18080), /^hi/)
  assert.match(get('127.0.0.1', 18081), /^hi/)
  assert.match(get('::1', 18082), /^hi/)
})

test('a client on localhost does not look like the container itself', () => {
  const own = project
    .run('exec', '-T', 'web', 'node', '-e', `console.log(require('os').networkInterfaces().eth0[0].address)`)
    .trim()
  assert.is.not(get('127.0.0.1', 18080), `hi from ${own}`)
})

test('port prints what was published, also an ephemeral one', () => {
  assert.is(project.run('port', 'web', '80').split('\n')[0], '0.0.0.0:18080')
  const publishers = project.run('ps', '--format', 'json', 'web')
  assert.match(publishers, '"PublishedPort":18092')
  const row = JSON.parse(publishers) as { Publishers: { TargetPort: number; PublishedPort: number }[] }
  const ephemeral = row.Publishers.find((entry) => entry.TargetPort === 80 && entry.PublishedPort > 20_000)
  assert.ok(ephemeral, publishers)
  assert.match(get('127.0.0.1', ephemeral?.PublishedPort ?? 0), /^hi/)
})

test('a UDP port is published', () => {
  const script = `const u=require('dgram').createSocket('udp4');u.on('message',m=>{console.log(''+m);process.exit()});u.send('x',18053,'127.0.0.1');setTimeout(()=>process.exit(1),3000)`
  assert.is(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout.trim(), 'echo x')
})

test('a second network namespace reaches the published port by the host address, and nothing else', () => {
  const name = `t${process.pid}`
  const ip = (...args: string[]): void => {
    const result = spawnSync('ip', args, { encoding: 'utf8' })
    if (result.status !== 0) throw new Error(`ip ${args.join(' ')}: ${result.stderr}`)
  }
  ip('netns', 'add', name)
  try {
    ip('link', 'add', `${name}h`, 'type', 'veth', 'peer', 'name', 'up0', 'netns', name)
    ip('addr', 'add', '10.213.7.1/24', 'dev', `${name}h`)
    ip('link', 'set', `${name}h`, 'up')
    ip('-n', name, 'addr', 'add', '10.213.7.2/24', 'dev', 'up0')
    ip('-n', name, 'link', 'set', 'up0', 'up')
    ip('-n', name, 'route', 'add', 'default', 'via', '10.213.7.1')
    const ask = (host: string, port: number): string => {
      const script = `const r=require('http').get({host:'${host}',port:${port},timeout:2000,agent:false},s=>s.on('data',d=>process.stdout.write(d)));r.on('error',e=>process.stdout.write(e.code));r.on('timeout',()=>{process.stdout.write('timeout');process.exit()})`
      return spawnSync('ip', ['netns', 'exec', name, process.execPath, '-e', script], {
        encoding: 'utf8',
        timeout: 20_000,
      }).stdout
    }
    assert.is(ask('10.213.7.1', 18080), 'hi from 10.213.7.2', 'the source address is kept')
    assert.not.match(ask('10.213.7.1', 18081), /^hi/, 'a port published on 127.0.0.1 is not reachable from outside')
    const own = project
      .run('exec', '-T', 'web', 'node', '-e', `console.log(require('os').networkInterfaces().eth0[0].address)`)
      .trim()
    assert.not.match(ask(own, 80), /^hi/, 'the container address is not reachable from outside')
  } finally {
    ip('netns', 'del', name)
    spawnSync('ip', ['link', 'del', `${name}h`])
  }
})

test('a container reaches a published port over the host address', () => {
  const script = `const g=require('fs').readFileSync('/proc/net/route','utf8').split('\\n').map(l=>l.split('\\t')).find(l=>l[1]==='00000000')[2].match(/../g).reverse().map(h=>parseInt(h,16)).join('.');require('http').get({host:g,port:18080,timeout:3000},s=>s.on('data',d=>process.stdout.write(d))).on('error',e=>console.log(e.code))`
  assert.match(project.run('exec', '-T', 'client', 'node', '-e', script), /^hi/)
  assert.match(project.run('exec', '-T', 'web', 'node', '-e', script), /^hi/, 'also its own')
})

test('a port that is taken is reported before anything starts, with its holder', async () => {
  project.run('down')
  const holder = createServer().listen(18081, '127.0.0.1')
  await new Promise((resume) => holder.once('listening', resume))
  const outcome = project.try(['up', '-d'])
  holder.close()
  assert.is(outcome.status, 1)
  assert.match(outcome.stderr, /18081/)
  assert.match(outcome.stderr, new RegExp(`node|${process.pid}`))
  assert.equal(ps(project), [])
})

test('the port is free again after down', async () => {
  const holder = createServer().listen(18080, '0.0.0.0')
  await new Promise((resume, reject) => holder.once('listening', resume).once('error', reject))
  holder.close()
})

test('a host service is never shadowed by what a killed monitor left', async () => {
  up()
  const { readdirSync, readFileSync } = await import('node:fs')
  const { runRoot } = await import('./scenario.ts')
  for (const id of readdirSync(`${runRoot()}/containers`)) {
    const { pid } = JSON.parse(readFileSync(`${runRoot()}/containers/${id}/status`, 'utf8')) as { pid: number }
    const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    process.kill(parent, 'SIGKILL')
  }
  const listen = (): Promise<Server | undefined> =>
    new Promise((resume) => {
      const server = createServer((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nhost service'))
      server.once('error', () => resume(undefined)).listen(18080, '0.0.0.0', () => resume(server))
    })
  const deadline = Date.now() + 5000
  let host = await listen()
  while (host === undefined && Date.now() < deadline) host = await listen()
  assert.ok(host, 'the port is free once its monitor is dead')
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, [
    '-e',
    `require('http').get({host:'127.0.0.1',port:18080,timeout:3000},s=>s.on('data',d=>process.stdout.write(d)))`,
  ])
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await new Promise((resume) => child.once('close', resume))
  host?.close()
  assert.is(text, 'host service')
  project.run('down')
})

test.run()
