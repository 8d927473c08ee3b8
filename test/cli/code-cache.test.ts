/** What the built command line keeps of V8's compiled code, whatever flags V8 runs with meanwhile. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const CLI = resolve(import.meta.dirname, '../../dist/caisson.js')

interface World {
  scratch: string
}

const test = suite<World>('code cache', { scratch: '' })

test.before.each((world) => {
  world.scratch = mkdtempSync(join(tmpdir(), 'caisson-code-cache-'))
})
test.after.each(({ scratch }) => {
  rmSync(scratch, { recursive: true, force: true })
})

const services = (count: number): string =>
  `services:\n${Array.from({ length: count }, (_, index) => `  s${index}: {image: busybox, labels: {index: "${index}", said: "${'x'.repeat(60)}"}}\n`).join('')}`

/** Checks a file that nobody has seen before; the files of the code cache afterwards, by inode: each is written anew under a new one. */
const check = ({ scratch }: World, name: string, count: number): Record<string, number> => {
  const directory = join(scratch, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'compose.yaml'), services(count))
  const cache = join(scratch, 'cache')
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'config', '-q'], {
    cwd: directory,
    env: { PATH: process.env.PATH, XDG_CACHE_HOME: cache },
    encoding: 'utf8',
  })
  assert.equal([status, stderr], [0, ''])
  const own = join(cache, 'caisson')
  const generation = readdirSync(own).find((each) => each.startsWith('code-')) ?? ''
  const files = readdirSync(join(own, generation))
  return Object.fromEntries(files.map((file) => [file, statSync(join(own, generation, file)).ino]))
}

test('what a large file was checked with serves a small one, and the other way round', (world) => {
  const first = check(world, 'large', 800)
  assert.equal(Object.keys(first).sort(), ['compose-validator.js', 'config'])
  assert.equal(check(world, 'small', 2), first)
  assert.equal(check(world, 'larger', 900), first)
})

test.run()
