import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { containerPaths, runPaths } from '../../src/state/layout.ts'
import { containerState } from '../../src/state/observe.ts'
import { type IsAlive, readContainers, strayRuns } from '../../src/state/snapshot.ts'
import { closeScratch, type Left, noScratch, openScratch, putContainer, record, type Scratch, status } from './world.ts'

const test = suite<Scratch>('observe', { ...noScratch })
test.before.each(openScratch)
test.after.each(closeScratch)

const alive: IsAlive = () => true
const dead: IsAlive = () => false

const stateOf = ({ roots }: Scratch, left: Left, isAlive: IsAlive) => {
  putContainer(roots, record('aaaaaaaaaaaa'), left)
  const [snapshot] = readContainers(roots, 'shop', isAlive).containers
  return snapshot && containerState(snapshot)
}

test('a record alone is a container that was created', (scratch) => {
  assert.is(stateOf(scratch, {}, dead), 'created')
})

test('a locked run is what its status says', (scratch) => {
  assert.is(stateOf(scratch, { run: status('running'), undo: true }, alive), 'running')
})

test('a locked run without a status is being built', (scratch) => {
  assert.is(stateOf(scratch, { run: 'bare', undo: true }, alive), 'created')
})

test('a run that nobody holds is lost, whatever its status says', (scratch) => {
  assert.is(stateOf(scratch, { run: status('running'), undo: true }, dead), 'lost')
})

test('an exit without a run is the end of the last one', (scratch) => {
  assert.is(stateOf(scratch, { exit: status('exited', { exitCode: 3 }), undo: true }, dead), 'exited')
})

test('an undo list without a run and without an exit is what a reboot leaves: lost', (scratch) => {
  assert.is(stateOf(scratch, { undo: true }, dead), 'lost')
})

test('containers of other projects are left out, directories without a record are told apart', ({ roots }) => {
  putContainer(roots, record('aaaaaaaaaaaa'))
  putContainer(roots, record('bbbbbbbbbbbb', { project: 'other' }))
  mkdirSync(containerPaths(roots, 'cccccccccccc').directory)
  const cut = containerPaths(roots, 'dddddddddddd').record
  mkdirSync(dirname(cut))
  writeFileSync(cut, '{"version":1,"id"')
  const { containers, broken } = readContainers(roots, 'shop', dead)
  assert.equal(
    containers.map((container) => container.record.id),
    ['aaaaaaaaaaaa'],
  )
  assert.equal(broken, ['cccccccccccc', 'dddddddddddd'])
  assert.is(readContainers(roots, undefined, dead).containers.length, 2)
})

test('a run directory without a container is stray', ({ roots }) => {
  mkdirSync(runPaths(roots, 'eeeeeeeeeeee').directory, { recursive: true })
  putContainer(roots, record('aaaaaaaaaaaa'), { run: 'bare' })
  assert.equal(strayRuns(roots), ['eeeeeeeeeeee'])
})

test('nothing there is nothing', ({ roots }) => {
  assert.equal(readContainers(roots, undefined, dead), { containers: [], broken: [] })
  assert.equal(strayRuns(roots), [])
})

test.run()
