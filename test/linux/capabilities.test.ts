import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ALL_CAPABILITIES,
  adjustCapabilities,
  capabilityBit,
  capabilityNames,
  capabilitySet,
  DEFAULT_CAPABILITIES,
  isCapability,
} from '../../src/linux/capabilities.ts'

test('numbers are those of linux/capability.h', () => {
  const known = {
    CHOWN: 0,
    NET_BIND_SERVICE: 10,
    NET_ADMIN: 12,
    SYS_ADMIN: 21,
    MKNOD: 27,
    SETFCAP: 31,
    CHECKPOINT_RESTORE: 40,
  }
  for (const [name, bit] of Object.entries(known)) assert.is(capabilityBit(name), bit)
})

test('names are read in any case, with or without CAP_', () => {
  for (const name of ['NET_ADMIN', 'net_admin', 'CAP_NET_ADMIN', 'cap_net_admin']) assert.is(capabilityBit(name), 12)
  assert.is(capabilityBit('NET_ADMINS'), undefined)
  assert.ok(isCapability('all'))
})

test('the default set is the fourteen of Docker', () => {
  assert.is(DEFAULT_CAPABILITIES, 0xa80425fbn)
  assert.is(capabilityNames(DEFAULT_CAPABILITIES).length, 14)
})

test('names of a set lead back to it', () => {
  assert.is(capabilitySet(capabilityNames(ALL_CAPABILITIES)), ALL_CAPABILITIES)
})

test('what is added and dropped changes the default set', () => {
  const set = adjustCapabilities(['NET_ADMIN'], ['CHOWN', 'cap_mknod'])
  assert.is(set, (DEFAULT_CAPABILITIES | (1n << 12n)) & ~1n & ~(1n << 27n))
})

test('dropping ALL leaves what is added', () => {
  assert.is(adjustCapabilities(['CHOWN'], ['ALL']), 1n)
  assert.is(adjustCapabilities([], ['all']), 0n)
})

test('adding ALL leaves out what is dropped by name', () => {
  assert.is(adjustCapabilities(['ALL'], []), ALL_CAPABILITIES)
  assert.is(adjustCapabilities(['ALL'], ['SYS_ADMIN', 'ALL']), ALL_CAPABILITIES & ~(1n << 21n))
})

test.run()
