import { createServer } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { holdingInodes, portHolder } from '../../src/network/port-holder.ts'

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3100 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 3200 1 0 20 4 30 10 -1
   2: 0100007F:1F91 00000000:0000 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0
`

test('only listening sockets hold a port', () => {
  assert.equal(holdingInodes(TCP, 'tcp', 8080), ['3100'])
  assert.equal(holdingInodes(TCP, 'tcp', 8081), [])
  assert.equal(holdingInodes('', 'tcp', 8080), [])
})

test('the holder of a port is found by name and pid', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  assert.match(portHolder('tcp', address.port) ?? '', `(pid ${process.pid})`)
  server.close()
  assert.is(portHolder('udp', 1), undefined)
})

test.run()
