import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatProcesses, processorTime, startTime } from '../../src/cli/render/processes.ts'
import { parseProcess } from '../../src/engine/processes.ts'
import { row } from './rows.ts'

const NOW = new Date(2026, 10, 25, 18, 30).getTime()
const HOUR = 3_600_000

const STAT =
  '20489 (sh) x) S 20439 20489 20489 34817 20489 4194560 1 0 0 0 150 50 0 0 20 0 1 0 360000 4567040 210 18446744073709551615 1 1'

test('a process is read from its files, whatever its name', () => {
  const found = parseProcess(
    { stat: STAT, status: 'Name:\tsh\nUid:\t33\t33\t33\t33\n', cmdline: 'sh\0-c\0sleep 1\0' },
    { bootedAt: NOW - 2 * HOUR, now: NOW },
  )
  assert.equal(found, {
    ...{ uid: 33, pid: 20_489, parent: 20_439, cpuPercent: 0, startedAt: NOW - HOUR, terminal: 'pts/1', cpuMs: 2000 },
    command: 'sh -c sleep 1',
  })
})

test('a process without a command line is shown by its name, an ended one not at all', () => {
  const texts = { stat: '5 (kthread) S 2 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0', status: '', cmdline: '' }
  assert.is(parseProcess(texts, { bootedAt: 0, now: NOW })?.command, '[kthread]')
  assert.is(parseProcess({ ...texts, stat: '' }, { bootedAt: 0, now: NOW }), undefined)
})

test('times are those of ps -ef', () => {
  assert.equal(
    [startTime(NOW - HOUR, NOW), startTime(NOW - 24 * HOUR, NOW), startTime(NOW - 400 * 24 * HOUR, NOW)],
    ['17:30', 'Nov24', '2025'],
  )
  assert.equal([0, 3_723_000, 25 * HOUR].map(processorTime), ['00:00:00', '01:02:03', '1-01:00:00'])
})

test('columns are those of docker compose top, and a command stays on its line', () => {
  const process = {
    ...{ user: 'root', pid: 20_489, parent: 20_439, cpuPercent: 1, startedAt: NOW, terminal: '?', cpuMs: 0 },
    command: 'sh -c a\nb\x1b[2J',
  }
  assert.is(
    formatProcesses([{ row: row(), processes: [process] }], NOW),
    `SERVICE  #   UID   PID    PPID   C   STIME  TTY  TIME      CMD
web      1   root  20489  20439  1   18:30  ?    00:00:00  sh -c a b [2J
`,
  )
})

test.run()
