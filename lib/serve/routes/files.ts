/**
 * `/files/PROJECT/KEY/FILENAME` and, beside it, `.metadata` (PEP 658). Nothing of the path leads into the store: the
 * catalog is asked for a file of this project, with this name and this key.
 */
import { finished, type Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IndexedPackage, IndexedRepository } from '../../catalog/index-reader.js'
import { MillraceError, StatusError, TemporaryFileError } from '../../errors.js'
import type { Store, StoredFile } from '../../store/store.js'
import { sendText } from '../answers.js'
import { isUnchanged, rangeOf, type Validators } from '../conditional.js'
import { fileKey } from '../documents/page.js'
import type { FileSource, Found } from '../file-source.js'
import type { PackageIndex } from '../package-index.js'
import type { SharedDownload } from '../shared-download.js'
import { inRepository, READ } from './repository.js'

interface Params {
  Params: { repository?: string; project: string; key: string; filename: string }
}

/** A year, the longest that is of any use: the URL has the digest in it. */
const FOREVER = 'public, max-age=31536000, immutable'
const METADATA = '.metadata'

/** Headers that are about a file, and not about what is sent in its place. */
const OF_THE_FILE = [
  'etag',
  'last-modified',
  'cache-control',
  'accept-ranges',
  'content-length',
  'content-type'
]

export function fileRoutes(
  server: FastifyInstance,
  index: PackageIndex,
  source: FileSource,
  store: Store,
  presign: boolean
): void {
  server.route<Params>({
    ...READ,
    url: '/files/:project/:key/:filename',
    config: { kind: 'file', compress: false },
    handler: inRepository(index, async (request, reply, repository) => {
      const { project: name, key, filename } = request.params
      const project = await index.project(repository, name)
      if (project === undefined) return noFile(reply, repository, filename)
      if (project.status === 'quarantined')
        return sendText(reply, 404, `The project ${name} is in quarantine: its files are not given out`)
      const find = async (wanted: string) =>
        (await index.reader.states(project.id, repository.version, wanted)).find(pkg => fileKey(pkg) === key)
      const pkg = await find(filename)
      if (pkg !== undefined) return sendFile(request, reply, repository, pkg)
      const beside = filename.endsWith(METADATA) ? await find(filename.slice(0, -METADATA.length)) : undefined
      if (beside === undefined || beside.coreMetadata === false) return noFile(reply, repository, filename)
      return sendMetadata(request, reply, repository, beside)
    })
  })

  async function sendFile(
    request: FastifyRequest,
    reply: FastifyReply,
    repository: IndexedRepository,
    pkg: IndexedPackage
  ): Promise<FastifyReply> {
    reply.type('application/octet-stream')
    const sha256 = pkg.digests.sha256 ?? pkg.file
    const validators = sha256 === undefined ? undefined : { etag: `"${sha256}"`, lastModified: uploaded(pkg) }
    if (hasAlready(request, reply, validators, pkg.digests.sha256 !== undefined))
      return reply.code(304).send()
    const found = await source.find(repository, pkg, isGet(request))
    if (presign && found.kind === 'stored' && isGet(request)) return sendElsewhere(reply, found.file, pkg)
    return send(request, reply, found, pkg.size, validators)
  }

  /** Sends the client to the store. The answer is good for as long as the URL is, and says nothing of the file. */
  async function sendElsewhere(
    reply: FastifyReply,
    { sha256 }: StoredFile,
    { filename }: IndexedPackage
  ): Promise<FastifyReply> {
    for (const name of OF_THE_FILE) reply.removeHeader(name)
    const url = await store.presign?.(sha256, filename)
    return reply.header('cache-control', 'no-store').redirect(String(url), 302)
  }

  async function sendMetadata(
    request: FastifyRequest,
    reply: FastifyReply,
    repository: IndexedRepository,
    pkg: IndexedPackage
  ): Promise<FastifyReply> {
    reply.type('text/plain; charset=utf-8')
    const { coreMetadata } = pkg
    const sha256 = typeof coreMetadata === 'object' ? coreMetadata.sha256 : undefined
    const validators = sha256 === undefined ? undefined : { etag: `"${sha256}"` }
    if (hasAlready(request, reply, validators, true)) return reply.code(304).send()
    const found = await source.findMetadata(repository, pkg, isGet(request))
    return send(request, reply, found, undefined, validators)
  }

  /** Sends what was found, or the part of it that is asked for. `size` is what the index says. */
  function send(
    request: FastifyRequest,
    reply: FastifyReply,
    found: Found,
    size: number | undefined,
    validators: Validators | undefined
  ): FastifyReply | Promise<FastifyReply> {
    switch (found.kind) {
      case 'bytes': {
        const { bytes } = found
        const part = (start: number, end: number) => bytes.subarray(start, end + 1)
        return sendPart(request, reply, bytes.length, validators, part)
      }
      case 'stored': {
        const { file } = found
        const part = (start: number, end: number) => store.createReadStream(file.sha256, { start, end })
        return sendPart(request, reply, file.size, validators, part)
      }
      case 'elsewhere':
        if (size !== undefined) reply.header('content-length', size)
        return reply.send()
      case 'refused':
        reply.header('retry-after', Math.ceil(found.againMs / 1000))
        return sendFailure(reply, found.error)
      case 'download':
        return sendDownload(request, reply, found.download, validators)
    }
  }
}

/** Sends bytes as they come from upstream; where a part is asked for, when all have come and are checked. */
async function sendDownload(
  request: FastifyRequest,
  reply: FastifyReply,
  download: SharedDownload,
  validators: Validators | undefined
): Promise<FastifyReply> {
  // Whatever becomes of the answer, its end is sent or its socket closes.
  finished(reply.raw, () => download.leave())
  const whole = request.headers.range !== undefined
  try {
    await (whole ? download.whole : download.ready)
  } catch (error) {
    return sendFailure(reply, error as Error)
  }
  const { size } = download
  if (whole && size !== undefined) {
    const part = (start: number, end: number) => download.createReadStream({ start, end })
    return sendPart(request, reply, size, validators, part)
  }
  if (size !== undefined) reply.header('content-length', size)
  return reply.send(download.createReadStream())
}

/** Sends all of a body of `size` bytes, or the part of it that is asked for. */
function sendPart(
  request: FastifyRequest,
  reply: FastifyReply,
  size: number,
  validators: Validators | undefined,
  read: (start: number, end: number) => Readable | Buffer
): FastifyReply {
  reply.header('accept-ranges', 'bytes')
  const range =
    request.method === 'GET' ? rangeOf(request.headers, size, validators ?? { etag: '' }) : undefined
  if (range === 'unsatisfiable') {
    reply.removeHeader('cache-control')
    return sendText(reply.header('content-range', `bytes */${size}`), 416, `There are ${size} bytes`)
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  reply.header('content-length', end - start + 1)
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
  return reply.send(request.method === 'HEAD' || size === 0 ? '' : read(start, end))
}

/** Sets what tells the state of a file, and says whether the client has it. */
function hasAlready(
  request: FastifyRequest,
  reply: FastifyReply,
  validators: Validators | undefined,
  immutable: boolean
): boolean {
  reply.header('accept-ranges', 'bytes')
  if (validators === undefined) return false
  reply.header('etag', validators.etag)
  if (validators.lastModified !== undefined) reply.header('last-modified', validators.lastModified)
  if (immutable) reply.header('cache-control', FOREVER)
  return isUnchanged(request.headers, validators)
}

function uploaded({ uploadTime }: IndexedPackage): string | undefined {
  return uploadTime === undefined ? undefined : new Date(uploadTime).toUTCString()
}

/** Who asks only about a file does not make us fetch it. */
function isGet({ method }: FastifyRequest): boolean {
  return method === 'GET'
}

function noFile(reply: FastifyReply, { name }: IndexedRepository, filename: string): FastifyReply {
  return sendText(reply, 404, `The repository ${name} has no such file ${filename}`)
}

/** What upstream did wrong is not what we did wrong. */
function sendFailure(reply: FastifyReply, error: Error): FastifyReply {
  for (const name of OF_THE_FILE) reply.removeHeader(name)
  const text = error instanceof MillraceError ? `${error.message} [${error.code}]` : 'The server is stopping'
  return sendText(reply, statusFor(error), text)
}

function statusFor(error: Error): number {
  if (error instanceof StatusError && (error.statusCode === 404 || error.statusCode === 410)) return 404
  if (!(error instanceof MillraceError)) return 503
  return error instanceof TemporaryFileError ? 500 : 502
}
