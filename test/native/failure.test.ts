import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SystemError } from '../../src/errors.ts'
import { fromNative, systemError } from '../../src/native/failure.ts'

test('a failure has the shape of a Node error, and our step', () => {
  const error = systemError({ step: 'mounts', syscall: 'openat2', errno: 2, path: '/data', index: 3 })
  assert.instance(error, SystemError)
  assert.is(error.code, 'ENOENT')
  assert.is(error.errno, -2)
  assert.is(error.syscall, 'openat2')
  assert.is(error.path, '/data')
  assert.is(error.step, 'mounts')
  assert.is(error.message, "mounts: openat2 '/data': ENOENT: no such file or directory")
})

test('errors that libuv does not know have their Linux names', () => {
  assert.is(systemError({ step: 'rootfs', syscall: 'fsmount', errno: 117 }).code, 'EUCLEAN')
  assert.is(systemError({ step: 'credentials', syscall: 'keyctl', errno: 122 }).code, 'EDQUOT')
  assert.is(systemError({ step: 'exec', syscall: 'execve', errno: 9999 }).code, 'E9999')
})

test('a hint of the step comes before one of the code', () => {
  assert.match(systemError({ step: 'exec', syscall: 'execve', errno: 2 }).hint ?? '', /image/)
  assert.match(systemError({ step: 'log', syscall: 'write', errno: 28 }).hint ?? '', /full/)
  assert.is(systemError({ step: 'log', syscall: 'read', errno: 2 }).hint, undefined)
})

test('only what C++ threw is translated', () => {
  const other = new Error('other')
  assert.is(fromNative(other), other)
  const thrown = Object.assign(new Error('execve'), { step: 'spawn', syscall: 'execve', errno: 13, index: 0 })
  assert.is((fromNative(thrown) as SystemError).code, 'EACCES')
})

test.run()
