import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatTable } from '../../src/cli/render/table.ts'
import { formatTemplate } from '../../src/cli/render/template.ts'

test('columns are three spaces apart, ten letters at the least, and lines end without blanks', () => {
  assert.is(
    formatTable(['NAME', 'STATUS', 'PORTS'], [['shop-web-1', 'Up 2 minutes', '']]),
    'NAME         STATUS         PORTS\nshop-web-1   Up 2 minutes\n',
  )
})

test('colours take no room', () => {
  assert.is(formatTable(['A', 'B'], [['\x1b[31mxx\x1b[0m', 'y']]), 'A         B\n\x1b[31mxx\x1b[0m        y\n')
})

const rows = [{ Name: 'a', Ports: [{ P: 1 }] }]

test('a template fills fields, as Go prints values', () => {
  assert.is(formatTemplate('{{.Name}}\\t{{ json .Name }} {{.Ports}}', rows, {}), 'a\t"a" [{1}]\n')
  assert.is(formatTemplate('{{json .}}', rows, {}), `${JSON.stringify(rows[0])}\n`)
})

const deep = [{ State: { Health: { Status: 'healthy' } }, Labels: { b: '2', a: '1' }, Args: ['x', 'y'] }]

test('fields go as deep as the value does', () => {
  assert.is(formatTemplate('{{.State.Health.Status}}', deep, {}), 'healthy\n')
  assert.is(formatTemplate('{{json .State.Health}}', deep, {}), '{"Status":"healthy"}\n')
  assert.throws(() => formatTemplate('{{.State.Pid.X}}', deep, {}), /\.State\.Pid\.X/)
})

test('functions that people use are there, also behind a bar', () => {
  assert.is(formatTemplate('{{index .Labels "a"}} {{join .Args ", "}} {{len .Args}}', deep, {}), '1 x, y 2\n')
  assert.is(
    formatTemplate('{{.State.Health.Status | upper}} {{.Labels}} {{.Args | json}}', deep, {}),
    'HEALTHY map[a:1 b:2] ["x","y"]\n',
  )
})

test('a table template has headers', () => {
  assert.is(formatTemplate('table {{.Name}}\t{{.Name}}', rows, { Name: 'NAMES' }), 'NAMES     NAMES\na         a\n')
})

test('other parts of Go templates are refused', () => {
  assert.throws(() => formatTemplate('{{range .X}}', rows, {}), /range/)
  assert.throws(() => formatTemplate('{{.Nme}}', rows, {}), /\.Nme/)
})

test.run()
