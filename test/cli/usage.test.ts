import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { binarySize } from '../../src/cli/render/human.ts'
import { frame, selectUsage, usageView } from '../../src/cli/render/usage.ts'
import type { UsageSample } from '../../src/index.ts'
import { row } from './rows.ts'

const GiB = 2 ** 30

const sample = (values: Partial<UsageSample> = {}): UsageSample => ({
  ...{ row: row(), atNs: 0, cpuNs: 0, memoryBytes: 600 * 1024, memoryLimitBytes: 2 * GiB, readBytes: 4096 },
  ...{ writtenBytes: 0, receivedBytes: 1040, sentBytes: 126, processes: 2 },
  ...values,
})

test('rates are the difference of two samples; two busy processors are 200 %', () => {
  const before = sample({ atNs: 1e9, cpuNs: 5e9 })
  assert.is(usageView(sample({ atNs: 3e9, cpuNs: 9e9 }), before).CPUPerc, '200.00%')
  assert.is(usageView(sample({ atNs: 3e9, cpuNs: 5.1e9 }), before).CPUPerc, '5.00%')
  assert.is(usageView(sample({ atNs: 3e9, cpuNs: 1e9 }), before).CPUPerc, '0.00%', 'the group was made anew')
  assert.is(usageView(sample({ atNs: 3e9, cpuNs: 1e9 }), undefined).CPUPerc, '0.00%')
})

test('fields and units are those of docker', () => {
  assert.equal(usageView(sample(), undefined), {
    ...{ BlockIO: '4.1kB / 0B', CPUPerc: '0.00%', Container: '0123456789ab', ID: '0123456789ab', MemPerc: '0.03%' },
    ...{ MemUsage: '600KiB / 2GiB', Name: 'shop-web-1', NetIO: '1.04kB / 126B', PIDs: '2' },
  })
})

test('what does not run is shown with -a only, as zeroes', () => {
  const ended = sample({ row: row({ state: 'exited' }), memoryBytes: 0 })
  assert.equal(selectUsage([ended], { all: false, services: [] }), [])
  assert.is(selectUsage([ended], { all: true, services: ['web'] }).length, 1)
  const { MemUsage, MemPerc } = usageView(ended, undefined)
  assert.equal([MemUsage, MemPerc], ['0B / 0B', '0.00%'])
})

test('a frame overwrites the last one and keeps to the height of the terminal', () => {
  assert.is(frame('A\nb\n', 24, true), '\x1b[2J\x1b[HA\x1b[K\nb\x1b[K\n\x1b[J')
  assert.is(frame('A\nb\nc\nd\n', 4, false), '\x1b[HA\x1b[K\nb\x1b[K\n… 2 more\x1b[K\n\x1b[J')
})

test('sizes of memory count in 1024 with four digits', () => {
  assert.equal([0, 1023, 614_400, 23.54 * GiB].map(binarySize), ['0B', '1023B', '600KiB', '23.54GiB'])
})

test.run()
