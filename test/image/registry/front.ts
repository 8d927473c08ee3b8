/** What stands in front of a registry and hands everything on, a request that a test waits for only when that says so. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Front {
  readonly host: string
  /** The next request that matches METHOD and path is handed on when `until` has ended. */
  hold(when: RegExp, until: () => Promise<unknown>): void
  close(): Promise<void>
}

const handOn = (host: string, request: IncomingMessage, response: ServerResponse): void => {
  const { method, url, headers } = request
  const onward = http.request(`http://${host}${url}`, { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 0, answer.headers)
    answer.pipe(response)
  })
  // A registry that refuses what it has not read breaks the connection.
  onward.on('error', () => response.headersSent || response.destroy())
  request.pipe(onward)
}

export const startFront = async (registry: string): Promise<Front> => {
  const held: { readonly when: RegExp; readonly until: () => Promise<unknown> }[] = []
  const server = http.createServer((request, response) => {
    const at = held.findIndex(({ when }) => when.test(`${request.method} ${request.url}`))
    const [holding] = at < 0 ? [] : held.splice(at, 1)
    request.on('error', () => {})
    void Promise.resolve(holding?.until()).then(() => handOn(registry, request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: (when, until) => {
      held.push({ when, until })
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
