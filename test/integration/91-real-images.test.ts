// takes: 60 s
/**
 * The same project from a root filesystem and from archives of images. The root filesystem is made of the packages of this
 * machine, so that nothing is downloaded; CAISSON_TEST_ROOTFS names a tarball to take instead (mmdebstrap --variant=apt
 * --include=redis-server,postgresql,nginx-light bookworm FILE).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot, skipFile } from '../helpers/root.ts'
import { archive, ociArchive, ociImage, oldDockerArchive } from '../image/archive.ts'
import { caisson, cleanUp, folder } from './scenario.ts'
import { checkShop, missingServices, shop } from './shop.ts'

needsRoot(test)
if (missingServices().length > 0) skipFile(`needs ${missingServices().join(', ')}`)
test.after(cleanUp)

const scratch = mkdtempSync(join(tmpdir(), 'caisson-real-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

const sh = (script: string): void => {
  const { status, stderr } = spawnSync('bash', ['-ec', script], { cwd: scratch, encoding: 'utf8' })
  assert.is(status, 0, stderr)
}

/** Programs with their libraries, and what they read: a Debian of its services and a shell. */
const makeRootfs = (): string => {
  sh(`
    programs="/bin/sh /usr/bin/id /usr/bin/cat /usr/bin/ls /usr/bin/rm /usr/bin/env /usr/bin/find /usr/bin/redis-server
      /usr/bin/redis-cli /usr/sbin/nginx $(ls /usr/lib/postgresql/*/bin/{postgres,initdb,psql,pg_isready})"
    files="$programs $(echo /usr/lib/postgresql/*/lib/*.so) $(find /usr/lib/*/libnss_* /usr/lib/*/gconv/gconv-modules* -type f)"
    files=$(echo $files | tr ' ' '\\n' | grep -v llvmjit)
    libraries=$(ldd $files 2>/dev/null | grep -o '/[^ ]*\\.so[^ :]*' | sort -u)
    mkdir -p root/{proc,sys,dev,run,var/log,var/cache,srv,root} root/etc/nginx
    ln -s usr/bin root/bin; ln -s usr/sbin root/sbin; ln -s usr/lib root/lib; ln -s usr/lib64 root/lib64
    mkdir -p root/usr/{bin,sbin,lib,lib64,share}
    cp -L --parents $files $libraries root; chmod -R go-w root/usr
    ln -s ../share/postgresql root/usr/lib/share; cp -a --parents /usr/share/postgresql root; install -d root/usr/share/hidden/deep
    cp --parents /etc/passwd /etc/group /etc/nsswitch.conf /etc/nginx/mime.types root
    install -d -m 1777 root/tmp; install -d -o redis -g redis root/var/lib/redis
    install -d -o postgres -g postgres root/var/lib/postgresql; install -d -m 2775 -o postgres -g postgres root/run/postgresql
    install -d root/var/lib/nginx root/var/log/nginx; ln -s /run root/var/run
    tar --xattrs -cf rootfs.tar -C root .; rm -r root
  `)
  return join(scratch, 'rootfs.tar')
}

const rootfs = process.env.CAISSON_TEST_ROOTFS ?? makeRootfs()

const load = (name: string, bytes: Buffer): void => {
  const path = join(scratch, 'archive.tar')
  writeFileSync(path, bytes)
  const outcome = caisson(['image', 'load', '-i', path], { timeoutMs: 120_000 })
  assert.is(outcome.stdout, `Loaded image: ${name}\n`, outcome.stderr)
}

/** A second layer: deletes, hides and adds, and a configuration that the project need not repeat. */
const upper = archive([
  { name: 'etc/nginx/', type: '5', mode: 0o755 },
  { name: 'usr/share/', type: '5', mode: 0o755 },
  { name: 'usr/share/.wh.hidden' },
  { name: 'etc/nginx/.wh..wh..opq' },
  { name: 'etc/nginx/mime.types', body: 'types { text/html html; }' },
  { name: 'srv/box/', type: '5', mode: 0o1770, uid: 33 },
])
const config = {
  Env: ['PATH=/usr/sbin:/usr/bin', 'GREETING=hello'],
  WorkingDir: '/srv/box',
  Volumes: { '/srv/box': {} },
}

/** What the layers and the configuration make of a container. */
const look = (image: string): string => {
  const project = folder(
    `services:\n  a: {image: "${image}", network_mode: none, stop_signal: SIGKILL, command: [redis-server]}\n`,
  )
  project.run('up', '-d')
  const script = 'echo $GREETING; pwd; ls /etc/nginx; ls -d /usr/share/hidden 2>/dev/null; ls -ldn /srv/box'
  const seen = project.run('exec', '-T', 'a', 'sh', '-c', script)
  project.run('down', '-v', '-t', '0')
  return seen
}
const SEEN = /^hello\n\/srv\/box\nmime\.types\ndrwxrwx--T \d 33 /

test('from a root filesystem that was imported', async () => {
  const outcome = caisson(['image', 'import', rootfs, 'shop/rootfs'], { timeoutMs: 120_000 })
  assert.is(outcome.status, 0, outcome.stderr)
  await checkShop(shop('shop/rootfs'))
})

test('from an archive of docker save, whose lowest layer is there already', () => {
  load('shop/docker:1', oldDockerArchive({ layers: [readFileSync(rootfs), upper], config }, ['shop/docker:1']))
  assert.match(look('shop/docker:1'), SEEN)
})

test('from an OCI archive with compressed layers', async () => {
  for (const name of ['shop/docker:1', 'shop/rootfs']) assert.is(caisson(['image', 'rm', name]).status, 0)
  const compress = (layer: Buffer) => gzipSync(layer, { level: 1 })
  const image = ociImage({ layers: [readFileSync(rootfs), upper], config, compress })
  const annotations = { 'org.opencontainers.image.ref.name': 'shop/oci:1' }
  load('shop/oci:1', ociArchive(image.blobs, [{ ...image.descriptor, annotations }]))
  assert.match(look('shop/oci:1'), SEEN)
  const project = shop('shop/oci:1')
  project.run('up', '-d', '--no-deps', 'web', 'cache')
  project.run('down', '-v', '-t', '5')
})

test.run()
