import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const lookup = (name: string): string =>
  `require('dns').promises.resolve4('${name}').then(a=>console.log(a.length),e=>console.log(e.code))`
const project = folder(`
services:
  web:
    image: caisson/host
    stop_signal: SIGKILL
    command: node -e "require('http').createServer((q,s)=>s.end(require('os').hostname())).listen(80)"
    scale: 2
    networks:
      front: {aliases: [www, shop.example]}
      back:
  store:
    image: caisson/host
    stop_signal: SIGKILL
    command: node -e "require('net').createServer(s=>s.end('store')).listen(6379)"
    networks: [back]
  client:
    image: caisson/host
    stop_signal: SIGKILL
    command: sleep 1000
    networks: [front]
  alone:
    image: caisson/host
    stop_signal: SIGKILL
    command: sleep 1000
    network_mode: none
  hidden:
    image: caisson/host
    stop_signal: SIGKILL
    command: sleep 1000
    networks: [inner]
networks:
  front:
  back:
  inner: {internal: true}
`)
const node = (service: string, script: string): string =>
  project.run('exec', '-T', service, 'node', '-e', script).trim()
const connect = (host: string, port: number): string =>
  `const s=require('net').connect({host:'${host}',port:${port},timeout:1500});s.on('connect',()=>{console.log('open');process.exit()});s.on('error',e=>{console.log(e.code);process.exit()});s.on('timeout',()=>{console.log('timeout');process.exit()})`
const addressOf = (service: string, name: string): string =>
  node(
    service,
    `console.log(Object.entries(require('os').networkInterfaces()).filter(([n])=>n==='${name}').flatMap(([,l])=>l.filter(x=>x.family==='IPv4').map(x=>x.address))[0]??'')`,
  )

test('services come up on their networks', () => {
  project.run('up', '-d')
  assert.is(ps(project).filter((row) => row.State === 'running').length, 6)
})

test('a service name resolves to every replica, aliases and container names too', () => {
  assert.is(node('client', lookup('web')), '2')
  assert.is(node('client', lookup('WWW')), '2')
  assert.is(node('client', lookup('shop.example')), '2')
  assert.is(node('client', lookup(`${project.name}-web-1`)), '1')
})

test('getaddrinfo with both families works and does not wait for AAAA', () => {
  const took = Number(
    node(
      'client',
      `const t=Date.now();require('dns').lookup('web',{all:true},(e,a)=>console.log(e?e.code:Date.now()-t))`,
    ),
  )
  assert.ok(took < 1000, `${took} ms`)
})

test('AAAA of a known name is an empty answer, not NXDOMAIN', () => {
  assert.is(
    node('client', `require('dns').promises.resolve6('web').then(console.log,e=>console.log(e.code))`),
    'ENODATA',
  )
})

test('names answer over http, round robin over the replicas', () => {
  const script = `(async()=>{const seen=new Set();for(let i=0;i<40;i++)seen.add(await new Promise(r=>require('http').get({host:'web',agent:false},s=>s.on('data',d=>r(''+d)))));console.log(seen.size)})()`
  assert.is(node('client', script), '2')
})

test('a service on another network is neither resolved nor reached', () => {
  assert.match(node('client', lookup('store')), /ENOTFOUND|ESERVFAIL|ENODATA|ETIMEOUT/)
  const address = addressOf('store', 'eth0')
  assert.match(address, /^\d+\./)
  assert.is.not(node('client', connect(address, 6379)), 'open')
  assert.is(node('web', connect('store', 6379)), 'open')
})

test('a service with network_mode none has nothing but lo', () => {
  assert.is(node('alone', `console.log(Object.keys(require('os').networkInterfaces()).join())`), 'lo')
})

test('an internal network has no default route', () => {
  assert.not.match(project.run('exec', '-T', 'hidden', 'cat', '/proc/net/route'), /^\S+\t00000000\t/m)
  assert.match(project.run('exec', '-T', 'client', 'cat', '/proc/net/route'), /^\S+\t00000000\t/m)
})

test('IPv6 is off on an IPv4 network', () => {
  assert.not.match(project.run('exec', '-T', 'client', 'cat', '/proc/net/if_inet6'), /eth0/)
})

test('a service may bind port 53 itself', () => {
  const script = `const u=require('dgram').createSocket('udp4');u.on('error',e=>{console.log(e.code);process.exit()});u.bind(53,'0.0.0.0',()=>{const t=require('net').createServer().listen(53,'0.0.0.0',()=>{console.log('bound');process.exit()});t.on('error',e=>{console.log(e.code);process.exit()})})`
  assert.is(node('client', script), 'bound')
})

test('stop takes a replica out of the names', () => {
  project.run('kill', 'store')
  assert.not.match(node('web', lookup('store')), /^\d+$/)
  project.run('up', '-d')
  assert.is(node('web', lookup('store')), '1')
})

test('down removes containers and networks', () => {
  project.run('down')
  assert.equal(ps(project), [])
})

test.run()
