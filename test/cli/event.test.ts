import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ContainerEvent } from '../../src/index.ts'
import { eventJson, eventLine } from '../../src/cli/render/event.ts'

const event: ContainerEvent = {
  ...{ time: '2026-11-25T18:04:20.608150010Z', type: 'container', action: 'die', id: '9c12a5b254f8', service: 'web' },
  attributes: { name: 'shop-web-1', exitCode: '137', image: 'base' },
}

test('a line is that of docker compose events: local time, attributes by name', () => {
  assert.match(
    eventLine(event),
    /^2026-11-2\d \d\d:\d\d:20\.608150 container die 9c12a5b254f8 \(exitCode=137, image=base, name=shop-web-1\)\n$/,
  )
})

test('an object has the keys of docker compose events', () => {
  assert.is(
    eventJson(event),
    '{"action":"die","attributes":{"exitCode":"137","image":"base","name":"shop-web-1"},"id":"9c12a5b254f8","service":"web","time":"2026-11-25T18:04:20.608150010Z","type":"container"}\n',
  )
})

test.run()
