import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { environment, formatVariables, withVariables } from '../../src/spec/env.ts'
import { specOf } from './lowered.ts'

const user = { uid: 0, gid: 0, groups: [0], home: '/root' }
const env = (change: Partial<Parameters<typeof environment>[0]> = {}) =>
  formatVariables(environment({ hostname: 'h', tty: false, image: [], service: {}, user, ...change }))
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

test('there is a PATH, the host name and a home', () => {
  assert.equal(env(), [PATH, 'HOSTNAME=h', 'HOME=/root'])
})

test('a terminal has a type', () => {
  assert.ok(env({ tty: true }).includes('TERM=xterm'))
})

test('the image overrides our defaults and the service the image', () => {
  const variables = env({ image: ['PATH=/bin', 'A=image', 'B=image'], service: { B: 'service', HOSTNAME: 'mine' } })
  assert.equal(variables, ['PATH=/bin', 'HOSTNAME=mine', 'A=image', 'B=service', 'HOME=/root'])
})

test('null takes a variable of the image away, an empty value does not', () => {
  assert.equal(env({ image: ['A=1', 'B=2'], service: { A: null, B: '' } }), [PATH, 'HOSTNAME=h', 'B=', 'HOME=/root'])
})

test('values keep everything behind the first equals sign', () => {
  assert.ok(env({ image: ['A=b=c'] }).includes('A=b=c'))
})

test('HOME stays as set', () => {
  assert.ok(env({ image: ['HOME=/srv'] }).includes('HOME=/srv'))
})

test('a home comes from passwd of the image', () => {
  const accounts = { passwd: 'app:x:7:7::/home/app:/bin/sh\n', group: '' }
  assert.ok(specOf({ service: { user: '7' }, allocation: { accounts } }).process.env.includes('HOME=/home/app'))
})

test('exec sets and unsets on top', () => {
  assert.equal(
    formatVariables(
      withVariables(
        new Map([
          ['A', '1'],
          ['B', '2'],
        ]),
        ['A', 'C=3'],
      ),
    ),
    ['B=2', 'C=3'],
  )
})

test.run()
