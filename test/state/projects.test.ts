import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  findProject,
  forgetProject,
  keepProject,
  readProject,
  refuseForeignDirectory,
} from '../../src/state/projects.ts'
import { closeScratch, noScratch, openScratch, type Scratch } from './world.ts'

const test = suite<Scratch>('projects', { ...noScratch })
test.before.each(openScratch)
test.after.each(closeScratch)

const shop = { name: 'shop', workingDirectory: '/a', composeFiles: ['/a/compose.yaml'] }

test('a project is found by its files, as long as they are only one project', ({ roots }) => {
  assert.is(findProject(roots, shop.composeFiles), undefined)
  keepProject(roots, shop)
  assert.is(findProject(roots, shop.composeFiles)?.name, 'shop')
  keepProject(roots, { ...shop, name: 'copy' })
  assert.is(findProject(roots, shop.composeFiles), undefined)
})

test('the same name from another directory is refused with both paths', ({ roots }) => {
  keepProject(roots, shop)
  const there = readProject(roots, 'shop')
  refuseForeignDirectory(there, shop)
  refuseForeignDirectory(undefined, { ...shop, workingDirectory: '/b' })
  assert.throws(
    () => refuseForeignDirectory(there, { ...shop, workingDirectory: '/b' }),
    (error: { code: string; message: string }) =>
      error.code === 'EPROJECTDIR' && error.message.includes('/a') && error.message.includes('/b'),
  )
})

test('other files replace the record, a forgotten project is gone', ({ roots }) => {
  keepProject(roots, shop)
  keepProject(roots, { ...shop, composeFiles: ['/a/other.yaml'] })
  assert.equal(readProject(roots, 'shop')?.composeFiles, ['/a/other.yaml'])
  forgetProject(roots, 'shop')
  assert.is(readProject(roots, 'shop'), undefined)
})

test.run()
