import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hostnameText, hostsText } from '../../src/spec/hosts.ts'

const input = {
  hostname: 'web',
  domainname: undefined,
  addresses: ['172.18.0.2'],
  extraHosts: {},
  gateway: '172.18.0.1',
}
const lines = (change: Partial<Parameters<typeof hostsText>[0]>) => hostsText({ ...input, ...change }).split('\n')

test('localhost comes first, the container last', () => {
  assert.is(lines({})[0], '127.0.0.1\tlocalhost')
  assert.is(lines({}).at(-2), '172.18.0.2\tweb')
})

test('a domain name makes a full name', () => {
  assert.is(lines({ domainname: 'example.org' }).at(-2), '172.18.0.2\tweb.example.org web')
})

test('there is a line for every network', () => {
  assert.equal(lines({ addresses: ['10.0.0.2', '10.0.1.2'] }).slice(-3, -1), ['10.0.0.2\tweb', '10.0.1.2\tweb'])
})

test('extra hosts may have several addresses, host-gateway is the host', () => {
  const text = lines({ extraHosts: { db: ['10.1.1.1', '::2'], 'host.docker.internal': ['host-gateway'] } })
  for (const line of ['10.1.1.1\tdb', '::2\tdb', '172.18.0.1\thost.docker.internal'])
    assert.ok(text.includes(line), line)
})

test('without a way to the host host-gateway is left out', () => {
  assert.not(
    lines({ extraHosts: { host: ['host-gateway'] }, gateway: undefined })
      .join()
      .includes('host-gateway'),
  )
})

test('/etc/hostname is one line', () => {
  assert.is(hostnameText('web'), 'web\n')
})

test.run()
