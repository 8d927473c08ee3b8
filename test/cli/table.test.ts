import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatTable } from '../../src/cli/render/table.ts'
import { formatTemplate } from '../../src/cli/render/template.ts'

test('columns are three spaces apart and lines end without blanks', () => {
  assert.is(
    formatTable(['NAME', 'STATUS', 'PORTS'], [['shop-web-1', 'Up 2 minutes', '']]),
    'NAME         STATUS         PORTS\nshop-web-1   Up 2 minutes\n',
  )
})

test('colours take no room', () => {
  assert.is(formatTable(['A', 'B'], [['\x1b[31mxx\x1b[0m', 'y']]), 'A    B\n\x1b[31mxx\x1b[0m   y\n')
})

const rows = [{ Name: 'a', Ports: [{ P: 1 }] }]

test('a template fills fields, text as text and the rest as JSON', () => {
  assert.is(formatTemplate('{{.Name}}\\t{{ json .Name }} {{.Ports}}', rows, {}), 'a\t"a" [{"P":1}]\n')
  assert.is(formatTemplate('{{json .}}', rows, {}), `${JSON.stringify(rows[0])}\n`)
})

test('a table template has headers', () => {
  assert.is(formatTemplate('table {{.Name}}\t{{.Name}}', rows, { Name: 'NAMES' }), 'NAMES   NAMES\na       a\n')
})

test('other parts of Go templates are refused', () => {
  assert.throws(() => formatTemplate('{{range .X}}', rows, {}), /only/)
  assert.throws(() => formatTemplate('{{.Nme}}', rows, {}), /\.Nme/)
})

test.run()
