/**
 * `/-/queue/`: the queue of a cluster on a bull-board, which shows it and changes nothing.
 */
import type { FastifyInstance } from 'fastify'
import type { ShardQueue } from '../../cluster/queue.js'
import { READ } from './repository.js'

/** Where it is. */
const BOARD = '/-/queue'

/** Nothing but what this server gives: its font, which is elsewhere, stays there. Its script sets styles. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self' 'unsafe-inline'",
  "script-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** Closes `queue` with the server. */
export async function queueBoardRoutes(server: FastifyInstance, queue: ShardQueue): Promise<void> {
  // Loaded here, for few who serve have a cluster.
  const { createBullBoard } = await import('@bull-board/api')
  const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter')
  const { HonoAdapter } = await import('@bull-board/hono')
  const { serveStatic } = await import('@hono/node-server/serve-static')
  const { Hono } = await import('hono')
  server.addHook('onClose', () => queue.close())
  const serverAdapter = new HonoAdapter(serveStatic).setBasePath(BOARD)
  createBullBoard({
    ...{ queues: [new BullMQAdapter(queue.queue, { readOnlyMode: true })], serverAdapter },
    options: { uiConfig: { boardTitle: 'Millrace', hideRedisDetails: true } }
  })
  const board = new Hono({ strict: false }).route(BOARD, serverAdapter.registerPlugin())

  for (const url of [BOARD, `${BOARD}/*`]) {
    server.route({
      ...READ,
      config: { kind: 'page' },
      url,
      handler: async ({ method, url: asked }, reply) => {
        const answer = await board.request(asked, { method })
        reply.code(answer.status).headers(Object.fromEntries(answer.headers))
        reply.headers({ 'content-security-policy': POLICY, 'referrer-policy': 'same-origin' })
        return reply.send(Buffer.from(await answer.arrayBuffer()))
      }
    })
  }
}
