/** Certificates made for tests, good for a hundred years; their keys are secrets of nobody. */
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import type { TLSSocket } from 'node:tls'
import type { Test } from 'tap'

const file = (name: string) => resolve('test/fixtures/tls', name)

/** The authority that signed the others. */
export const CA = file('ca.pem')
export const CLIENT_CERT = file('client.pem')
export const CLIENT_KEY = file('client-key.pem')

/** A server on `https://localhost:PORT`, which answers with the name in its client's certificate, or as `listener` does. */
export async function tlsServer(
  t: Test,
  options: ServerOptions = {},
  listener: RequestListener = (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate()
    response.end(subject?.CN ?? 'nobody')
  }
): Promise<{ readonly origin: string; readonly connections: number }> {
  let connections = 0
  const server = createServer(
    {
      cert: readFileSync(file('server.pem')),
      key: readFileSync(file('server-key.pem')),
      ca: readFileSync(CA),
      ...options
    },
    listener
  )
  server.on('connection', socket => {
    connections++
    socket.on('close', () => connections--)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    }
  }
}
