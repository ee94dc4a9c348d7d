/** A proxy between a client and a server, which can be told to lose what passes. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface TcpProxy {
  readonly port: number
  /** Ends all connections, and refuses others until {@link heal}. */
  cut(): void
  /** From now on nothing that the server says arrives. */
  mute(): void
  heal(): void
  /** Is called with what clients send, before it is passed on. */
  onRequest: ((data: Buffer) => void) | undefined
}

export async function tcpProxy(t: Test, target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let [refusing, muted] = [false, false]
  const server = createServer(client => {
    if (refusing) return void client.destroy()
    const onward = connect(target.port, target.host)
    for (const [socket, other] of [
      [client, onward],
      [onward, client]
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', data => {
      proxy.onRequest?.(data)
      onward.write(data)
    })
    onward.on('data', data => void (muted || client.write(data)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const proxy: TcpProxy = {
    port: (server.address() as { port: number }).port,
    onRequest: undefined,
    cut() {
      refusing = true
      for (const socket of sockets) socket.destroy()
    },
    mute() {
      muted = true
    },
    heal() {
      refusing = muted = false
    }
  }
  t.teardown(async () => {
    proxy.cut()
    server.close()
    await once(server, 'close')
  })
  return proxy
}
