import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isSecret, withoutSecrets } from '../../src/image/host-files.ts'
import { hostId, pruneHostLayers, resolveHost } from '../../src/image/host.ts'

const test = suite<{ base: string }>('host', { base: '' })
test.before.each((context) => {
  context.base = mkdtempSync(join(tmpdir(), 'caisson-host-'))
})
test.after.each(({ base }) => rmSync(base, { recursive: true }))

/** Others than root's where only root can give files away. */
const isRoot = process.getuid?.() === 0
const uid = isRoot ? 101 : (process.getuid?.() ?? 0)
const gid = isRoot ? 104 : (process.getgid?.() ?? 0)

const write = (path: string, text: string, mode = 0o644) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode })
}

/** A machine in a directory. */
const machine = (base: string) => {
  const root = join(base, 'machine')
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  symlinkSync('usr/bin', join(root, 'bin'))
  mkdirSync(join(root, 'lib'))
  write(join(root, 'etc/passwd'), 'root:$6$hash:0:0:Jo Doe,room 1:/root:/bin/sh\n')
  write(join(root, 'etc/group'), 'root:*:0:\nwheel:$1$x:10:jo\n')
  write(join(root, 'etc/shadow'), 'root:secret:1::::::\n', 0o600)
  write(join(root, 'etc/ssl/certs/ca.pem'), 'certificate')
  write(join(root, 'etc/ssl/private/host.key'), 'secret')
  write(join(root, 'etc/nginx/mime.types'), 'types')
  write(join(root, 'etc/nginx/htpasswd'), 'secret')
  write(join(root, 'etc/profile'), 'hidden', 0o600)
  symlinkSync('/usr/share/zoneinfo/Etc/UTC', join(root, 'etc/localtime'))
  return { root, node: join(base, 'home/me/bin/node') }
}

test('the layer holds the listed files of /etc and none that is a secret', ({ base }) => {
  const image = resolveHost({ root: join(base, 'state') }, machine(base))
  const layer = image.layers[0] ?? ''
  const read = (path: string) => readFileSync(join(layer, path), 'utf8')
  assert.is(read('etc/passwd'), 'root:x:0:0::/root:/bin/sh\n')
  assert.is(read('etc/group'), 'root:x:0:\nwheel:x:10:jo\n')
  assert.is(read('etc/ssl/certs/ca.pem'), 'certificate')
  assert.is(read('etc/nginx/mime.types'), 'types')
  assert.is(readlinkSync(join(layer, 'etc/localtime')), '/usr/share/zoneinfo/Etc/UTC')
  for (const name of ['shadow', 'ssl/private', 'nginx/htpasswd', 'profile'])
    assert.not.ok(existsSync(join(layer, 'etc', name)))
  assert.is(lstatSync(join(layer, 'tmp')).mode & 0o7777, 0o1777)
})

test('links of a merged /usr stay links, directories of their own are bound', ({ base }) => {
  const host = machine(base)
  const image = resolveHost({ root: join(base, 'state') }, host)
  assert.is(readlinkSync(join(image.layers[0] ?? '', 'bin')), 'usr/bin')
  assert.equal(image.binds.slice(0, 2), [
    { source: `${host.root}/usr`, target: '/usr' },
    { source: `${host.root}/lib`, target: '/lib' },
  ])
})

test('of a Node outside a Node prefix only the binary is shown', ({ base }) => {
  const host = machine(base)
  const { binds } = resolveHost({ root: join(base, 'state') }, host)
  assert.equal(binds.at(-1), { source: host.node, target: '/opt/node/bin/node' })
  write(join(base, 'home/me/include/node/node_version.h'), '')
  const prefix = resolveHost({ root: join(base, 'state2') }, host).binds.at(-1)
  assert.equal(prefix, { source: join(base, 'home/me'), target: '/opt/node' })
})

test('a Node below /usr is there already, at the same place', ({ base }) => {
  const image = resolveHost({ root: join(base, 'state') }, { ...machine(base), node: '/usr/bin/node' })
  assert.is(readlinkSync(join(image.layers[0] ?? '', 'opt/node/bin/node')), '/usr/bin/node')
})

test('the layer is made again when a listed file changes, and only then; the identity stays', ({ base }) => {
  const host = machine(base)
  const content = { root: join(base, 'state') }
  const first = resolveHost(content, host)
  assert.equal(resolveHost(content, host).layers, first.layers)
  write(join(host.root, 'etc/services'), 'http 80/tcp\n')
  const second = resolveHost(content, host)
  assert.is.not(second.layers[0], first.layers[0])
  assert.is(second.id, first.id)
  assert.is(second.id, hostId())
})

test('layers of earlier states go, unless a container stands on them', ({ base }) => {
  const host = machine(base)
  const content = { root: join(base, 'state') }
  const layers = ['one', 'two', 'three'].map((text) => {
    write(join(host.root, 'etc/services'), text.repeat(text.length))
    return resolveHost(content, host).layers[0] ?? ''
  })
  pruneHostLayers(content, new Set(layers.slice(0, 1)))
  assert.equal(
    layers.map((layer) => existsSync(layer)),
    [true, false, true],
  )
})

test('secrets are told by their names', () => {
  assert.ok(isSecret('/etc/ssl/private/x.pem'))
  assert.ok(isSecret('/etc/x/server.key'))
  assert.not.ok(isSecret('/etc/ssl/certs/ca.pem'))
  assert.is(withoutSecrets('#c\n\nbad\na:b:1:1:x:/:/s\n', 'passwd'), 'a:x:1:1::/:/s\n')
})

test('packaged services find their directories, where this machine has their user', ({ base }) => {
  const there = machine(base)
  write(join(there.root, 'etc/passwd'), `root:x:0:0::/root:/bin/sh\npostgres:x:${uid}:104::/:/bin/sh\n`)
  write(join(there.root, 'etc/group'), `root:x:0:\npostgres:x:${gid}:\n`)
  const [layer = ''] = resolveHost({ root: join(base, 'state') }, there).layers
  const socket = lstatSync(join(layer, 'run/postgresql'))
  assert.equal([socket.mode & 0o7777, socket.uid, socket.gid], [0o2775, uid, gid])
  assert.is(lstatSync(join(layer, 'var/lib/postgresql/data')).mode & 0o777, 0o700)
  assert.not.ok(existsSync(join(layer, 'var/lib/redis')))
})

test.run()
