/**
 * The server of an index: for pip, uv and their like, and for another Millrace.
 *
 * Read-only: it answers GET and HEAD, and no path of a request becomes a path in the store.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import { Catalog } from '../catalog/catalog.js'
import { ShardQueue } from '../cluster/queue.js'
import { MillraceError, OptionError } from '../errors.js'
import { downloadSettings, type RequestOptions } from '../http/settings.js'
import { integer, oneOf, text } from '../options.js'
import { openStore } from '../store/open-store.js'
import type { Store } from '../store/store.js'
import { sendText } from './answers.js'
import { FileSource, POLICIES, type Policy } from './file-source.js'
import type { Metrics } from './metrics.js'
import { PackageIndex } from './package-index.js'
import { pageRoutes } from './pages/routes.js'
import { fileRoutes } from './routes/files.js'
import { legacyRoutes } from './routes/legacy.js'
import { queueBoardRoutes } from './routes/queue-board.js'
import { simpleRoutes } from './routes/simple.js'
import { statusRoutes } from './routes/status.js'

export type { Policy } from './file-source.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes that its connection had sent when it came. */
    bytesBefore: number
  }
}

export interface ServerOptions
  extends Omit<RequestOptions, 'digest' | 'directory' | 'maxMemoryBytes' | 'dispatcher'> {
  /** A catalog that the caller opened and will close, or where it lies; it must be there. @defaultValue `millrace.db` */
  readonly catalog?: Catalog | string | undefined
  /** Where files lie and go: a store, the folder of one, or `s3://BUCKET/PREFIX`. @defaultValue `millrace-store` */
  readonly store?: Store | string | undefined
  /** The repository at `/simple/`. @defaultValue `pypi` */
  readonly repository?: string | undefined
  /** What is done with files that the store has not. @defaultValue the policy of the repository's last sync */
  readonly policy?: Policy | undefined
  /**
   * Whether files may be fetched from loopback and private addresses. @defaultValue whether the index of the repository's
   * last sync has one
   */
  readonly allowPrivate?: boolean | undefined
  /**
   * Where requests go; or what gives that for indexes whose files may be fetched from private addresses, and for those
   * whose may not. @defaultValue one of each for the process
   */
  readonly dispatcher?: Dispatcher | ((allowPrivate: boolean) => Dispatcher) | undefined
  /** Whether to send clients to the store for what it has, if that is one in a bucket. @defaultValue false */
  readonly presign?: boolean | undefined
  /**
   * The queue of a cluster, `postgres://…` or `redis://…`: it is shown at `/-/queue/`, with the names of the machines that
   * work for it. @defaultValue none is shown
   */
  readonly queueBoard?: string | undefined
  /** How long a file that came wrong from upstream is not asked for again, in ms. @defaultValue 30,000 */
  readonly coolDownMs?: number | undefined
  /** Is told what went wrong, a line each. @defaultValue nobody is */
  readonly log?: ((line: string) => void) | undefined
}

/** Statements that a catalog should be able to run at once for a server; Node has four threads for them. */
export const CONNECTIONS = 4

/** Longest part of a path: a file name of 255 bytes, each as `%XX`, and `.metadata`. */
const MAX_PARAMETER_LENGTH = 800

/**
 * Makes a server, which is then told to `listen({ port, host })` and in the end to `close()`.
 * @throws {@link OptionError}, {@link CatalogError}
 */
export async function createServer({
  catalog = 'millrace.db',
  store = 'millrace-store',
  repository = 'pypi',
  policy,
  presign = false,
  queueBoard,
  coolDownMs = 30_000,
  log = () => {},
  ...requests
}: ServerOptions = {}): Promise<FastifyInstance> {
  text('repository', repository)
  integer('coolDownMs', coolDownMs, 0)
  if (policy !== undefined) oneOf('policy', policy, POLICIES)
  downloadSettings({ ...requests, dispatcher: undefined })
  // Loaded here, for they take longer than all the rest, and most who load this package serve nothing.
  const { fastify } = await import('fastify')
  const { default: accepts } = await import('@fastify/accepts')
  const { default: compress } = await import('@fastify/compress')
  const { Metrics } = await import('./metrics.js')
  const kept = await openStore(store)
  if (presign && kept.presign === undefined)
    throw new OptionError('presign', 'left out with a store that answers no requests', 'true')
  const opened =
    typeof catalog === 'string'
      ? await Catalog.open(catalog, { create: false, connections: CONNECTIONS })
      : catalog
  const index = new PackageIndex(opened.index, repository)
  const metrics: Metrics = new Metrics({
    lookups: () => index.lookups,
    inFlight: () => source.downloads.inFlight
  })
  const source: FileSource = new FileSource({
    ...requests,
    ...{ reader: opened.index, store: kept, metrics, policy, coolDownMs, log }
  })
  const server = fastify({
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, _request, reply) => sendText(reply, 400, error.message)
  })
  server.addHook('onRequest', async (request, reply) => {
    request.bytesBefore = sentBytes(request)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return sendText(reply.header('allow', 'GET, HEAD'), 405, 'There is nothing to be changed here')
    }
    reply.header('x-content-type-options', 'nosniff')
    // Nothing has a name with NUL in it, and PostgreSQL does not take one even to look for it.
    return request.url.includes('%00') ? reply.callNotFound() : undefined
  })
  server.decorateRequest('bytesBefore', 0)
  server.addHook('onResponse', async (request, reply) => {
    const { kind = 'other' } = request.routeOptions.config
    metrics.answered(
      kind,
      reply.statusCode,
      reply.elapsedTime / 1000,
      sentBytes(request) - request.bytesBefore
    )
  })
  server.addHook('onClose', async () => {
    await source.close()
    if (opened !== catalog) await opened.close()
  })
  server.setNotFoundHandler((_request, reply) =>
    sendText(reply, 404, 'There is nothing here. The packages are below /simple/, pages for people at /')
  )
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) log(`${request.method} ${request.url}: ${error.message}`)
    // Only what is ours is meant for other people's eyes.
    if (error instanceof MillraceError) return sendText(reply, status, `${error.message} [${error.code}]`)
    return sendText(reply, status, status < 500 ? error.message : 'Something went wrong')
  })
  await server.register(accepts)
  await server.register(compress, { encodings: ['br', 'gzip'] })
  const routes = async (scope: FastifyInstance) => {
    simpleRoutes(scope, index)
    legacyRoutes(scope, index)
    fileRoutes(scope, index, source, kept, presign)
  }
  statusRoutes(server, index, metrics)
  pageRoutes(server, index, opened.browse, queueBoard !== undefined)
  try {
    if (queueBoard !== undefined)
      await queueBoardRoutes(server, await ShardQueue.open(queueBoard, 'queueBoard'))
  } catch (error) {
    await server.close()
    throw error
  }
  await server.register(routes)
  await server.register(routes, { prefix: '/:repository' })
  return server
}

/** Bytes sent on the request's connection; a request that is injected has none. */
function sentBytes({ socket }: FastifyRequest): number {
  return socket.bytesWritten ?? 0
}
