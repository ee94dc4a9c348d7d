/**
 * How answers are sent: pages with their validators, and a few words where there is nothing else to say.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isUnchanged } from './conditional.js'
import type { Coding, Page } from './package-index.js'

/** Whoever keeps a page asks before each use whether it still holds: a new version is seen at once. */
const REVALIDATE = 'public, no-cache'

/** Smaller bodies gain nothing by being compressed. */
const MIN_CODED_BYTES = 1024

/** Sends a page, compressed as the client likes it, or 304 where it has the page already. */
export async function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  page: Page,
  contentType: string
): Promise<FastifyReply> {
  if (sendUnchanged(request, reply, page)) return reply
  reply.type(contentType)
  const coding =
    page.body.length < MIN_CODED_BYTES ? 'identity' : request.encoding(['br', 'gzip', 'identity'])
  if (coding !== 'br' && coding !== 'gzip') return reply.send(page.body)
  return reply.header('content-encoding', coding).send(await page.coded(coding as Coding))
}

/** Says what tells one state of a page from another, and sends 304 where the client has this one. */
export function sendUnchanged(
  request: FastifyRequest,
  reply: FastifyReply,
  page: Pick<Page, 'etag' | 'lastModified' | 'serial'>
): boolean {
  reply.headers({
    etag: page.etag,
    'last-modified': page.lastModified,
    'cache-control': REVALIDATE,
    vary: 'Accept, Accept-Encoding',
    'x-pypi-last-serial': page.serial
  })
  if (!isUnchanged(request.headers, page)) return false
  reply.code(304).send()
  return true
}

/** Sends a line of text. */
export function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${text}\n`)
}

/**
 * Sends a redirect that holds under whatever prefix a proxy has put before our paths: relative to the URL that was
 * asked for.
 */
export function sendRedirect(reply: FastifyReply, location: string): FastifyReply {
  return sendText(reply.header('location', location), 301, `See ${location}`)
}
