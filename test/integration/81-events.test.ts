// takes: 20 s
/** events and wait: what happens to containers, told as it happens. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, start } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const service = (command: string): string => `
    image: caisson/host
    network_mode: none
    stop_signal: SIGKILL
    command: ${command}`
const project = folder(`
services:
  web:${service('sleep 1000')}
  first:${service("sh -c 'while [ ! -e /signal/first ]; do sleep 0.05; done; exit 3'")}
    volumes: [./signal:/signal]
  last:${service("sh -c 'while [ ! -e /signal/last ]; do sleep 0.05; done; exit 5'")}
    volumes: [./signal:/signal]
`)

interface Event {
  readonly action: string
  readonly attributes: Readonly<Record<string, string>>
  readonly id: string
  readonly service: string
  readonly time: string
  readonly type: string
}
const parse = (text: string): Event[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Event)
const actions = (events: readonly Event[], name: string): string[] =>
  events.filter((event) => event.service === name).map(({ action }) => action)

let live: ReturnType<typeof start> | undefined
let began = ''

test('a follower sees a start as it happens, of its own project alone', async () => {
  began = new Date().toISOString()
  project.run('create')
  live = start(['events', '--json'], { cwd: project.directory })
  const neighbour = folder(`services: {other: {${'image: caisson/host, network_mode: none, command: "true"'}}}`)
  await eventually(() => {
    project.run('start', 'web')
    project.run('stop', 'web')
    return actions(parse(live?.text() ?? ''), 'web').includes('die')
  }, 'the follower has begun')
  neighbour.run('up', '-d')
  project.run('start', 'web')
  await eventually(() => parse(live?.text() ?? '').at(-1)?.action === 'start', 'the start is told')
  assert.equal([...new Set(parse(live.text()).map(({ service: name }) => name))], ['web'])
  const [row] = ps(project).filter(({ Service }) => Service === 'web')
  const last = parse(live.text()).at(-1)
  assert.equal(
    [last?.id, last?.type, last?.attributes],
    [row?.ID, 'container', { image: 'caisson/host', name: `${project.name}-web-1` }],
  )
})

test('kill, stop and die are told in order, with signal and exit code', async () => {
  const seen = parse(live?.text() ?? '').length
  project.run('kill', '-s', 'KILL', 'web')
  const later = await eventually(() => {
    const events = parse(live?.text() ?? '').slice(seen)
    return events.some(({ action }) => action === 'die') && events
  }, 'die is told')
  assert.equal(actions(later, 'web').slice(0, 2), ['kill', 'die'])
  assert.is(later[0]?.attributes.signal, '9')
  assert.is(later[1]?.attributes.exitCode, '137')
  live?.kill('SIGINT')
})

test('--since and --until cut what the journal has', () => {
  const all = parse(project.run('events', '--json', '--since', began, '--until', new Date().toISOString()))
  assert.equal(actions(all, 'first'), ['create'])
  assert.is(actions(all, 'web')[0], 'create')
  const times = all.map(({ time }) => time)
  assert.equal(times, [...times].sort(), 'in the order of time')
  const middle = times[Math.floor(times.length / 2)] ?? ''
  const cut = (...range: string[]): number => parse(project.run('events', '--json', ...range)).length
  const later = cut('--since', middle, '--until', '0s')
  const earlier = cut('--since', began, '--until', middle)
  assert.ok(later > 0 && earlier > 0 && later < times.length && earlier < times.length)
  assert.ok(later + earlier >= times.length)
  assert.is(project.run('events', '--until', '1h'), '')
  assert.is(cut('--since', began, '--until', '0s', 'first'), 1)
  assert.is(project.try(['events', '--since', 'yesterday']).status, 2)
})

test('text has one line for each event', () => {
  const [line = ''] = project.run('events', '--since', began, '--until', '0s', 'first').split('\n')
  assert.match(
    line,
    new RegExp(
      `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{6} container create [0-9a-f]{12} \\(image=caisson/host, name=${project.name}-first-1\\)$`,
    ),
  )
})

test('wait tells each end and exits with the code of the last', async () => {
  project.run('start', 'first', 'last')
  const waiting = start(['wait', 'last', 'first'], { cwd: project.directory })
  const ended = new Promise((resolve) => waiting.on('close', resolve))
  project.write('signal/first', '')
  await eventually(() => waiting.text().includes('code 3'), 'the first end is told')
  assert.not.match(waiting.text(), 'code 5')
  project.write('signal/last', '')
  assert.is(await ended, 5)
  assert.match(
    waiting.text(),
    /^container "[0-9a-f]{12}" exited with status code 3\ncontainer "[0-9a-f]{12}" exited with status code 5\n$/,
  )
})

test('wait for what has ended already gives its code at once; what is not there is an error', () => {
  assert.is(project.try(['wait', 'first']).status, 3)
  assert.is(project.try(['wait', 'last', 'first']).status, 5)
  assert.is(project.try(['wait', 'nothing']).status, 1)
  assert.is(project.try(['wait']).status, 2)
})

test('wait ends with a kill', async () => {
  project.run('start', 'web')
  const waiting = start(['wait', 'web'], { cwd: project.directory })
  const ended = new Promise((resolve) => waiting.on('close', resolve))
  project.run('kill', 'web')
  assert.is(await ended, 137)
})

test('wait --down-project takes the project down with the first end', () => {
  project.run('start', 'web')
  const outcome = project.try(['wait', '--down-project', 'first', 'web'])
  assert.is(outcome.status, 3, outcome.stderr)
  assert.equal(ps(project), [])
})

test.run()
