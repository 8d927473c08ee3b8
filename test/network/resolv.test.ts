import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatResolvConf, parseResolvConf, resolverSettings } from '../../src/network/resolv.ts'

const HOST = `# by systemd-resolved
nameserver 127.0.0.53
nameserver fd00::53
nameserver fe80::1%eth0
search old.example
domain corp.example   ; comment
options edns0 trust-ad
`
const NOTHING = { dns: [], dnsSearch: [], dnsOptions: [] }

test('the host`s resolv.conf is read as resolv.conf(5) says', () => {
  assert.equal(parseResolvConf(HOST), {
    upstreams: ['127.0.0.53', 'fd00::53', 'fe80::1%eth0'],
    search: ['corp.example'],
    options: ['edns0', 'trust-ad'],
  })
})

test('a service without settings asks what the host asks', () => {
  const settings = resolverSettings(HOST, NOTHING)
  assert.equal(settings.upstreams, ['127.0.0.53', 'fd00::53'])
  assert.is(formatResolvConf(settings), 'nameserver 127.0.0.11\nsearch corp.example\noptions edns0 trust-ad ndots:0\n')
})

test('its own settings replace those of the host, one by one', () => {
  const settings = resolverSettings(HOST, {
    dns: ['9.9.9.9'],
    dnsSearch: ['a.test', 'b.test'],
    dnsOptions: ['ndots:2'],
  })
  assert.equal(settings.upstreams, ['9.9.9.9'])
  assert.is(formatResolvConf(settings), 'nameserver 127.0.0.11\nsearch a.test b.test\noptions ndots:2\n')
})

test('`dns_search: .` searches nothing', () => {
  assert.equal(resolverSettings(HOST, { ...NOTHING, dnsSearch: ['.'] }).search, [])
})

test('at most three servers are asked', () => {
  const dns = ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4']
  assert.equal(resolverSettings('', { ...NOTHING, dns }).upstreams, dns.slice(0, 3))
})

test('a host without a resolv.conf leaves no upstream', () => {
  assert.equal(resolverSettings('', NOTHING), { upstreams: [], search: [], options: ['ndots:0'] })
})

test('on the host`s own network the servers stand in the file themselves', () => {
  const settings = resolverSettings(HOST, { ...NOTHING, dns: ['9.9.9.9'] })
  assert.match(formatResolvConf(settings, settings.upstreams), /^nameserver 9\.9\.9\.9\n/)
})

test.run()
