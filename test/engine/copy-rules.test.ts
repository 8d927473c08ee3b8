import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type FileType, followLinks, type Look, parseEndpoint, placeCopy } from '../../src/engine/copy-rules.ts'

for (const [text, service] of [
  ['web:/etc', 'web'],
  ['web:', 'web'],
  ['./a:b', undefined],
  ['/a:b', undefined],
  ['file', undefined],
  ['-', undefined],
  [':x', undefined],
] as const) {
  test(`${text} names ${service === undefined ? 'no service' : `the service ${service}`}`, () => {
    const end = parseEndpoint(text)
    assert.is(end.kind === 'service' ? end.service : undefined, service)
  })
}

const placed = (source: string, isDirectory: boolean, path: string, type: FileType): string => {
  try {
    const { directory, name } = placeCopy({ path: source, isDirectory }, { path, type })
    return `${directory} ${name}`
  } catch {
    return 'refused'
  }
}

for (const [source, kind, path, type, expected] of [
  ['/s/file', 'file', '/d', 'directory', '/d file'],
  ['/s/file', 'file', '/d/', 'directory', '/d file'],
  ['/s/file', 'file', '/d/new', 'none', '/d new'],
  ['/s/file', 'file', '/d/old', 'file', '/d old'],
  ['/s/file', 'file', '/d/new/', 'none', 'refused'],
  ['/s/file', 'file', '/d/old/', 'file', 'refused'],
  ['/s/dir', 'directory', '/d', 'directory', '/d dir'],
  ['/s/dir/', 'directory', '/d', 'directory', '/d dir'],
  ['/s/dir/.', 'directory', '/d', 'directory', '/d .'],
  ['/s/dir', 'directory', '/d/new', 'none', '/d new'],
  ['/s/dir', 'directory', '/d/new/', 'none', '/d new'],
  ['/s/dir/.', 'directory', '/d/new', 'none', '/d new'],
  ['/s/dir', 'directory', '/d/old', 'file', 'refused'],
  ['/', 'directory', '/d', 'directory', '/d .'],
  ['/s/file', 'file', '/', 'directory', '/ file'],
  ['/s/file', 'file', '/new', 'none', '/ new'],
] as const) {
  test(`the ${kind} ${source} to ${path} (${type}): ${expected}`, () =>
    assert.is(placed(source, kind === 'directory', path, type), expected))
}

const tree: Readonly<Record<string, Look>> = {
  '/d': { type: 'directory' },
  '/one': { type: 'link', link: 'd/two' },
  '//d/two': { type: 'link', link: '/d' },
  '/loop': { type: 'link', link: '/loop' },
  '/dangling': { type: 'link', link: '/d/gone' },
}
const look = async (path: string): Promise<Look> => tree[path] ?? { type: 'none' }

test('links are followed as far as they lead, and what the path ended in stays', async () => {
  assert.equal(await followLinks('/one/', look), { path: '/d/', look: { type: 'directory' } })
  assert.equal(await followLinks('/dangling', look), { path: '/d/gone', look: { type: 'none' } })
  assert.equal(await followLinks('/', look), { path: '/', look: { type: 'none' } })
})

test('a loop of links is refused', async () => {
  const refused = await followLinks('/loop', look).then(
    () => false,
    () => true,
  )
  assert.ok(refused)
})

test.run()
