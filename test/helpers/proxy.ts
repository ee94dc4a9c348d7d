/** Small proxies for tests: HTTP with CONNECT and with whole URLs, and SOCKS5. They count, and may ask for credentials. */
import { createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { Test } from 'tap'

export interface Proxy {
  /** `http://127.0.0.1:PORT` or `socks5://127.0.0.1:PORT` */
  readonly url: string
  /** What was asked for: `HOST:PORT` for a tunnel, the whole URL else. */
  readonly targets: string[]
  /** Credentials sent along, `NAME:PASSWORD`. */
  readonly credentials: (string | undefined)[]
}

/** `required`: `NAME:PASSWORD`, without which it refuses. */
export async function httpProxy(t: Test, required?: string): Promise<Proxy> {
  const targets: string[] = []
  const credentials: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const allowed = ({ headers, url = '' }: IncomingMessage) => {
    const [, coded = ''] = /^Basic (.*)$/.exec(headers['proxy-authorization'] ?? '') ?? []
    const given = coded === '' ? undefined : Buffer.from(coded, 'base64').toString()
    targets.push(url)
    credentials.push(given)
    return given === required
  }
  const server = createServer((asked, response) => {
    if (!allowed(asked)) return response.writeHead(407).end()
    const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = asked.headers
    const onward = request(String(asked.url), { headers, agent: false }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      // What is cut off for us is to be so for our client.
      pipeline(answer, response, () => {})
    })
    onward.on('error', () => response.writeHead(502).end())
    onward.end()
    return response
  })
  server.on('connect', (asked: IncomingMessage, socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    if (!allowed(asked))
      return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
    const { hostname, port } = new URL(`http://${asked.url}`)
    const onward = connect(Number(port || 80), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    return socket.on('close', () => onward.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, targets, credentials }
}

/** RFC 1928, as far as a client needs it that connects to a name or an IPv4 address; RFC 1929. */
export async function socksProxy(t: Test, required?: string): Promise<Proxy> {
  const targets: string[] = []
  const credentials: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    let step: 'greeting' | 'password' | 'request' = 'greeting'
    const onData = (data: Buffer) => {
      if (step === 'greeting') {
        step = required === undefined ? 'request' : 'password'
        socket.write(Buffer.from([5, required === undefined ? 0 : 2]))
      } else if (step === 'password') {
        const nameLength = data[1] ?? 0
        const given = `${data.subarray(2, 2 + nameLength)}:${data.subarray(3 + nameLength)}`
        credentials.push(given)
        step = 'request'
        socket.write(Buffer.from([1, given === required ? 0 : 1]))
      } else {
        socket.off('data', onData)
        const named = data[3] === 3
        const host = named ? String(data.subarray(5, 5 + (data[4] ?? 0))) : data.subarray(4, 8).join('.')
        const port = data.readUInt16BE(data.length - 2)
        targets.push(`${host}:${port}`)
        const onward = connect(port, host, () => {
          socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
          onward.pipe(socket).pipe(onward)
        })
        onward.on('error', () => socket.destroy())
        socket.on('close', () => onward.destroy())
      }
    }
    socket.on('data', onData)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  })
  return { url: `socks5://127.0.0.1:${(server.address() as AddressInfo).port}`, targets, credentials }
}
