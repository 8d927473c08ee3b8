// takes: 20 s
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const running = 'image: caisson/host\n    command: sleep 1000\n    stop_signal: SIGKILL'
const networks = `
networks:
  back:
    ipam: {config: [{subnet: 10.211.7.0/24, gateway: 10.211.7.254, ip_range: 10.211.7.0/29, aux_addresses: {printer: 10.211.7.1}}]}
`
// A project of its own on a network that both use.
const guest = folder(`
services:
  far:
    ${running}
    networks: [back]
networks:
  back: {external: true, name: SHARED}
`)
const project = folder(
  `
services:
  fixed:
    ${running}
    mac_address: 02:11:22:33:44:55
    networks: {back: {ipv4_address: 10.211.7.77, interface_name: lan0}}
  free:
    ${running}
    networks: [back]
    links: ["fixed:immobile"]
    external_links: ["${guest.name}-far-1:distant"]
  lender:
    ${running}
    network_mode: none
    volumes: [data:/data, "./shared:/shared", /own]
  borrower:
    ${running}
    network_mode: none
    volumes_from: ["lender:ro"]
    tmpfs: /tmp
volumes:
  data:
${networks}`,
  { 'shared/file': 'bound' },
)
const sh = (service: string, script: string): string => project.run('exec', '-T', service, 'sh', '-c', script).trim()
const evaluate = (program: string): string => project.run('exec', '-T', 'free', 'node', '-e', program).trim()

test('the containers start, and a link to a container that is not there yet is refused', () => {
  const early = project.try(['up', '-d'])
  assert.match(early.stderr, /compose\.yaml:\d+:.*there is no container/)
  project.run('up', '-d', 'fixed')
  guest.write(
    'compose.yaml',
    readFileSync(`${guest.directory}/compose.yaml`, 'utf8').replace('SHARED', `${project.name}_back`),
  )
  guest.run('up', '-d')
  project.run('up', '-d')
})

test('addresses, the MAC address and the interface are as asked; a reserved address goes to nobody', () => {
  assert.is(sh('fixed', 'cat /sys/class/net/lan0/address'), '02:11:22:33:44:55')
  assert.match(sh('fixed', 'cat /etc/hosts'), /^10\.211\.7\.77\t/m)
  assert.match(sh('free', 'cat /etc/hosts'), /^10\.211\.7\.[2-6]\t/m)
})

test('links and external links have names that nobody else knows', () => {
  const lookup = (service: string, name: string) =>
    project
      .run(
        'exec',
        '-T',
        service,
        'node',
        '-e',
        `require('dns').promises.lookup('${name}').then(r => console.log(r.address), e => console.log(e.code))`,
      )
      .trim()
  assert.is(lookup('free', 'immobile'), '10.211.7.77')
  assert.is(lookup('free', 'distant'), lookup('free', `${guest.name}-far-1`))
  assert.match(lookup('free', 'distant'), /^10\.211\.7\./)
  assert.not.match(lookup('fixed', 'immobile'), /^10\./)
})

test('an address has the name of its container, and only on its own networks', () => {
  const reverse = (address: string) =>
    evaluate(`require('dns').promises.reverse('${address}').then(r => console.log(r[0]), e => console.log(e.code))`)
  assert.is(reverse('10.211.7.77'), `${project.name}-fixed-1.${project.name}_back`)
  assert.is.not(reverse('10.211.8.1'), `${project.name}-fixed-1.${project.name}_back`)
})

test('volumes_from gives volumes and binds of the other, read-only where asked', () => {
  sh('lender', 'echo named > /data/file; echo own > /own/file')
  assert.is(sh('borrower', 'cat /data/file /shared/file /own/file'), 'named\nboundown')
  assert.is.not(project.try(['exec', '-T', 'borrower', 'touch', '/data/x']).status, 0)
  assert.is(project.run('up', '-d'), '')
})

test('who borrows volumes is recreated with the lender, and they stay', () => {
  project.run('up', '-d', '--force-recreate', 'lender', 'borrower')
  assert.is(sh('borrower', 'cat /data/file /own/file'), 'named\nown')
})

test('what cannot be is said with its place before anything starts', () => {
  const wrong: readonly (readonly [string, number])[] = [
    ['networks: {back: {ipv4_address: 10.212.0.1}}', 4],
    ['networks: {back: {ipv4_address: 10.211.7.254}}', 4],
    ['networks: {back: {ipv6_address: "fd00::2"}}', 4],
    ['networks: {back: {link_local_ips: [169.254.1.1]}}', 4],
    ['volumes_from: ["container:nosuch"]', 4],
    ['volumes_from: [nosuch]', 4],
  ]
  for (const [line, number] of wrong) {
    const one = folder(`services:\n  a:\n    image: caisson/host\n    ${line}\n${networks}`)
    const outcome = one.try(['up', '-d'])
    assert.is.not(outcome.status, 0, line)
    assert.match(outcome.stderr, new RegExp(`compose\\.yaml:${number}:`), line)
  }
})

test('down leaves nothing', () => {
  guest.run('down', '-t', '0')
  project.run('down', '-v', '-t', '0')
  assert.equal(ps(project), [])
})

test.run()
