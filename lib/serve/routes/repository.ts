/**
 * What the routes of a repository have in common. They are there twice: below `/` for the default repository, and below
 * `/REPOSITORY` and `/REPOSITORY@VERSION`.
 */
import type { FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify'
import type { IndexedRepository } from '../../catalog/index-reader.js'
import { sendText } from '../answers.js'
import type { RouteKind } from '../metrics.js'
import type { PackageIndex } from '../package-index.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route is counted as; `other` where it does not say. */
    kind?: RouteKind
  }
}

/** The methods of every route: there is nothing here that a client could change. */
export const READ = { method: ['GET', 'HEAD'] as ('GET' | 'HEAD')[] }

/** A handler that is called with the repository that the URL names; there is a 404 where there is none. */
export function inRepository<R extends RouteGenericInterface & { Params: { repository?: string } }>(
  index: PackageIndex,
  handler: (
    request: FastifyRequest<R>,
    reply: FastifyReply,
    repository: IndexedRepository
  ) => FastifyReply | Promise<FastifyReply>
): (request: FastifyRequest<R>, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const { repository: asked } = request.params as { repository?: string }
    const repository = await index.repository(asked)
    if (repository !== undefined) return await handler(request, reply, repository)
    return sendText(reply, 404, `There is no repository ${asked ?? index.defaultName}`)
  }
}
