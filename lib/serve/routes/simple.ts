/**
 * `/simple/` and `/simple/PROJECT/`: what installers ask for.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IndexedRepository } from '../../catalog/index-reader.js'
import { isValidName, normalizeName } from '../../pypi/name.js'
import { sendPage, sendRedirect, sendText, sendUnchanged } from '../answers.js'
import { projectSerial, repositorySerial } from '../documents/page.js'
import { listingHtml } from '../documents/simple-html.js'
import { listingJson } from '../documents/simple-json.js'
import { type Format, negotiate, OFFERED_TYPES } from '../negotiate.js'
import type { PackageIndex } from '../package-index.js'
import { inRepository, READ } from './repository.js'

type Params = { Params: { repository?: string; project: string } }

export function simpleRoutes(server: FastifyInstance, index: PackageIndex): void {
  server.route({
    ...READ,
    url: '/simple',
    config: { kind: 'listing' },
    handler: (_request, reply) => sendRedirect(reply, 'simple/')
  })

  server.route<Params>({
    ...READ,
    url: '/simple/',
    config: { kind: 'listing' },
    handler: inRepository(index, (request, reply, repository) => {
      const chosen = negotiate(request)
      return chosen === undefined
        ? notAcceptable(reply)
        : sendListing(request, reply, index, repository, ...chosen)
    })
  })

  server.route<Params>({
    ...READ,
    url: '/simple/:project',
    config: { kind: 'project' },
    handler: (request, reply) => {
      const { project } = request.params
      if (!isValidName(project)) return sendText(reply, 404, 'That is no name of a project')
      return sendRedirect(reply, `${normalizeName(project)}/`)
    }
  })

  server.route<Params>({
    ...READ,
    url: '/simple/:project/',
    // Compressed once and kept, not with each answer.
    config: { kind: 'project', compress: false },
    handler: inRepository(index, async (request, reply, repository) => {
      const { project: asked } = request.params
      if (!isValidName(asked)) return sendText(reply, 404, 'That is no name of a project')
      const name = normalizeName(asked)
      if (name !== asked) return sendRedirect(reply, `../${name}/`)
      const chosen = negotiate(request)
      if (chosen === undefined) return notAcceptable(reply)
      const [format, contentType] = chosen
      const project = await index.project(repository, name)
      const page = project && (await index.simplePage(repository, project, format))
      if (page === undefined) return noProject(reply, repository, name)
      return sendPage(request, reply, page, contentType)
    })
  })
}

/** Says that a repository has no such project. */
export function noProject(
  reply: FastifyReply,
  { name, version }: IndexedRepository,
  project: string
): FastifyReply {
  return sendText(reply, 404, `The repository ${name} has no project ${project} at version ${version}`)
}

function notAcceptable(reply: FastifyReply): FastifyReply {
  return sendText(reply.header('vary', 'Accept'), 406, `There is: ${OFFERED_TYPES}`)
}

/** Sends the list of projects as it is read: however many they are, a thousand are held. */
function sendListing(
  request: FastifyRequest,
  reply: FastifyReply,
  index: PackageIndex,
  repository: IndexedRepository,
  format: Format,
  contentType: string
): FastifyReply {
  const { id, version, fetchedRun, modifiedAt } = repository
  const serial = repositorySerial(repository)
  const etag = `W/"${serial}-${fetchedRun}-${format}"`
  const lastModified = new Date(modifiedAt).toUTCString()
  if (sendUnchanged(request, reply, { etag, lastModified, serial })) return reply
  reply.type(contentType)
  if (request.method === 'HEAD') return reply.send()
  const pages = index.reader.listing(id, version, { changed: format === 'json' })
  const pieces =
    format === 'json'
      ? listingJson(serial, pages, project => projectSerial(repository, project.changed, project.status))
      : listingHtml(serial, pages)
  return reply.send(Readable.from(pieces, { objectMode: false }))
}
