/**
 * `/-/health` and `/-/metrics`: for those who watch over the server.
 */
import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../metrics.js'
import type { PackageIndex } from '../package-index.js'
import { READ } from './repository.js'

export function statusRoutes(server: FastifyInstance, index: PackageIndex, metrics: Metrics): void {
  server.route({
    ...READ,
    url: '/-/health',
    config: { kind: 'status' },
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      try {
        const repository = await index.repository()
        return reply.send({
          status: 'ok',
          repository: index.defaultName,
          version: repository?.version ?? null
        })
      } catch (error) {
        return reply.code(503).send({ status: 'failing', message: (error as Error).message })
      }
    }
  })

  server.route({
    ...READ,
    url: '/-/metrics',
    config: { kind: 'status' },
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store').type(metrics.registry.contentType)
      return reply.send(await metrics.registry.metrics())
    }
  })
}
