import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { addressesAfter, chooseSubnet, formatMac, isUsable, macOf, occupied, parseMac } from '../../src/network/ipam.ts'
import { formatAddress, formatSubnet, parseAddress, parseSubnet, subnetOf } from '../../src/network/ipv4.ts'

const choose = (used: readonly string[], last?: string): string | undefined => {
  const subnet = chooseSubnet(used.map(subnetOf), last === undefined ? undefined : subnetOf(last))
  return subnet && formatSubnet(subnet)
}

test('the first network gets the first /24 of the pools', () => {
  assert.is(choose([]), '10.208.0.0/24')
})

test('the next one comes after the last, even where an earlier one is free again', () => {
  assert.is(choose([], '10.208.0.0/24'), '10.208.1.0/24')
  assert.is(choose(['10.208.6.0/23'], '10.208.5.0/24'), '10.208.8.0/24')
})

test('at the end of the pools it starts again', () => {
  assert.is(choose(['10.208.0.0/24'], '192.168.255.0/24'), '10.208.1.0/24')
})

test('a VPN that has all of 10/8 leaves the other pools', () => {
  assert.is(choose(['10.0.0.0/8']), '172.24.0.0/24')
  assert.is(choose(['10.0.0.0/8', '172.16.0.0/12']), '192.168.128.0/24')
  assert.is(choose(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']), undefined)
})

test('default routes, also in two halves, occupy nothing', () => {
  const routes = ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1', '10.208.0.0/16'].map(subnetOf)
  assert.equal(occupied(routes).map(formatSubnet), ['10.208.0.0/16'])
})

const space = (subnet: string, gateway: string, range?: string) => ({
  subnet: subnetOf(subnet),
  gateway: parseAddress(gateway) ?? 0,
  range: range === undefined ? undefined : subnetOf(range),
})

test('addresses leave out the network, the gateway and the broadcast address', () => {
  const all = [...addressesAfter(space('10.1.1.0/29', '10.1.1.1'), undefined)].map(formatAddress)
  assert.equal(all, ['10.1.1.2', '10.1.1.3', '10.1.1.4', '10.1.1.5', '10.1.1.6'])
})

test('addresses go on after the last one and around', () => {
  const all = [...addressesAfter(space('10.1.1.0/29', '10.1.1.1'), parseAddress('10.1.1.4'))].map(formatAddress)
  assert.equal(all, ['10.1.1.5', '10.1.1.6', '10.1.1.2', '10.1.1.3', '10.1.1.4'])
})

test('an ip_range limits the addresses that are chosen, not those that are asked for', () => {
  const given = space('10.1.0.0/16', '10.1.0.1', '10.1.5.0/30')
  assert.equal([...addressesAfter(given, undefined)].map(formatAddress), [
    '10.1.5.0',
    '10.1.5.1',
    '10.1.5.2',
    '10.1.5.3',
  ])
  assert.ok(isUsable(given, parseAddress('10.1.9.9') ?? 0))
})

test('a /31 has two addresses', () => {
  assert.equal([...addressesAfter(space('10.1.1.0/31', '10.1.1.0'), undefined)].map(formatAddress), ['10.1.1.1'])
})

test('subnets are read as they are meant, or not at all', () => {
  const read = (text: string) => {
    const subnet = parseSubnet(text)
    return subnet && formatSubnet(subnet)
  }
  assert.is(read('10.1.1.7/24'), '10.1.1.0/24')
  assert.is(read('255.255.255.255/32'), '255.255.255.255/32')
  assert.is(read('0.0.0.0/0'), '0.0.0.0/0')
  for (const text of ['10.1.1.0', '10.1.1.0/33', '10.1.1/24', '10.1.1.0/24/1', '10.1.1.0/', 'fd00::/64', '']) {
    assert.is(read(text), undefined, text)
  }
})

test('a MAC address is the same whenever the address is', () => {
  assert.is(formatMac(macOf(parseAddress('10.208.1.2') ?? 0)), '02:ca:0a:d0:01:02')
})

test('a MAC address that is given must be one of a single host', () => {
  assert.is(parseMac('02-42-AC-11-00-02')?.toString('hex'), '0242ac110002')
  assert.is(parseMac('01:00:5e:00:00:01'), undefined)
  assert.is(parseMac('02:42:ac'), undefined)
})

test.run()
