// Runs inside a container's network namespace: one JSON request a line on stdin, one JSON answer a line on stdout.
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

const udp = ({ host, port, data, timeoutMs }) =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    const finish = (answer) => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(() => finish(undefined), timeoutMs)
    socket.on('message', (message) => finish(message.toString('hex')))
    socket.on('error', () => finish(undefined))
    socket.connect(port, host, () => socket.send(Buffer.from(data, 'hex')))
  })

const tcp = ({ host, port, parts, bytes, timeoutMs }) =>
  new Promise((resolve) => {
    const received = []
    const socket = connect(port, host)
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(Buffer.concat(received).toString('hex'))
    }
    const timer = setTimeout(finish, timeoutMs)
    socket.setNoDelay(true)
    socket.on('error', (error) => (error.code === 'ECONNREFUSED' ? resolve(undefined) : finish()))
    socket.on('end', finish)
    socket.on('data', (chunk) => {
      received.push(chunk)
      if (bytes > 0 && Buffer.concat(received).length >= bytes) finish()
    })
    socket.on('connect', async () => {
      for (const part of parts) {
        socket.write(Buffer.from(part, 'hex'))
        await new Promise((next) => setTimeout(next, 5))
      }
    })
  })

// Many queries at once from one socket: how many answers have which code.
const flood = ({ host, port, data, count, timeoutMs }) =>
  new Promise((resolve) => {
    const codes = {}
    let answers = 0
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
    const finish = () => {
      clearTimeout(timer)
      socket.close()
      resolve(JSON.stringify(codes))
    }
    const timer = setTimeout(finish, timeoutMs)
    socket.on('message', (message) => {
      const code = message.readUInt8(3) & 15
      codes[code] = (codes[code] ?? 0) + 1
      if (++answers === count) finish()
    })
    socket.connect(port, host, async () => {
      for (let i = 0; i < count; i++) {
        const query = Buffer.from(data, 'hex')
        query.writeUInt16BE(i, 0)
        socket.send(query)
        // Slowly enough that the kernel drops none on a busy machine.
        if (i % 25 === 24) await new Promise((next) => setTimeout(next, 5))
      }
    })
  })

const open = []
const idle = async ({ host, port, count }) => {
  for (let i = 0; i < count; i++) {
    const socket = connect(port, host)
    socket.on('error', () => {})
    open.push(socket)
    await new Promise((next) => socket.once('connect', next).once('error', next))
  }
  return String(open.filter((socket) => !socket.destroyed).length)
}

const echo = ({ port }) =>
  new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
    server.listen(port, '0.0.0.0', () => resolve('ok'))
  })

const shell = ({ script }) =>
  new Promise((resolve) => execFile('sh', ['-c', script], (_error, stdout, stderr) => resolve(stdout + stderr)))

const kinds = { udp, flood, tcp, idle, echo, shell }
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  const result = await kinds[request.kind](request)
  process.stdout.write(`${JSON.stringify({ result })}\n`)
}
process.exit(0)
