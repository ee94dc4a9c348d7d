/**
 * Works out the answer to a request, without sending it: status, headers, and a body that may be of any length.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { RequestKind } from './counts.js'
import { type Format, listingDocument, mediaTypes, projectDocument } from './documents.js'
import { acceptsGzip, chooseFormat } from './negotiate.js'
import { type Content, type IndexSource, normalise } from './source.js'

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | number>
  /** Whole, or in pieces where it is long. */
  readonly body: Buffer | Iterable<Buffer>
  /** The pieces are to be compressed on their way. */
  readonly gzip?: boolean | undefined
}

export interface AnswerOptions {
  /** What `/simple/` speaks. @defaultValue `['json', 'html']` */
  readonly formats?: readonly Format[] | undefined
  /** Compresses documents for clients that accept it. @defaultValue true */
  readonly gzip?: boolean | undefined
  /** Sends ETag and Last-Modified, and answers 304. @defaultValue true */
  readonly validators?: boolean | undefined
  /** Writes the addresses of files without the origin. @defaultValue false */
  readonly relativeUrls?: boolean | undefined
}

/** Documents kept at most, in bytes: what is asked for again and again costs nothing. */
const maxCached = 64 * 1024 * 1024
/** Longer bodies are sent in pieces. */
const maxWhole = 1024 * 1024
const pieceLength = 65_536

export class Answers {
  readonly #source: IndexSource
  readonly #formats: readonly Format[]
  readonly #gzip: boolean
  readonly #validators: boolean
  readonly #relative: boolean
  readonly #cache = new Map<string, Buffer>()
  #cached = 0
  /** `http://HOST:PORT`, known once the server listens. */
  origin = ''

  constructor(
    source: IndexSource,
    { formats = ['json', 'html'], gzip = true, validators = true, relativeUrls = false }: AnswerOptions = {}
  ) {
    this.#source = source
    this.#formats = formats
    this.#gzip = gzip
    this.#validators = validators
    this.#relative = relativeUrls
  }

  /** The answer to a GET or HEAD; `path` is without the query. */
  to(path: string, kind: RequestKind, headers: IncomingHttpHeaders): Answer {
    switch (kind) {
      case 'listing':
        return this.#listing(headers)
      case 'project':
        return this.#project(decode(path.slice('/simple/'.length)), headers)
      case 'legacy':
        return this.#legacy(decode(path.slice('/pypi/'.length, -'/json'.length)), headers)
      case 'file':
      case 'metadata':
        return this.#file(decode(path), headers)
      default:
        return plain(404, 'Not found')
    }
  }

  #listing(headers: IncomingHttpHeaders): Answer {
    const format = chooseFormat(headers.accept, this.#formats)
    if (format === undefined) return plain(406, 'Not acceptable')
    const document = () => listingDocument(this.#source, format as 'json' | 'html')
    return this.#document('', format, this.#source.lastSerial, document, headers)
  }

  #project(asked: string, headers: IncomingHttpHeaders): Answer {
    const name = normalise(asked.replace(/\/$/, ''))
    if (asked !== `${name}/`) {
      return { ...plain(301, 'Moved'), headers: { location: `/simple/${encodeURIComponent(name)}/` } }
    }
    const format = chooseFormat(headers.accept, this.#formats)
    if (format === undefined) return plain(406, 'Not acceptable')
    return this.#projectDocument(name, format, headers)
  }

  #legacy(asked: string, headers: IncomingHttpHeaders): Answer {
    const name = normalise(asked)
    if (asked !== name)
      return { ...plain(301, 'Moved'), headers: { location: `/pypi/${encodeURIComponent(name)}/json` } }
    return this.#projectDocument(name, 'legacy', headers)
  }

  #projectDocument(name: string, format: Format, headers: IncomingHttpHeaders): Answer {
    const project = this.#source.project(name)
    if (project === undefined) return plain(404, 'Not found')
    const base = this.#relative && format !== 'legacy' ? '../..' : this.origin
    const { page } = project
    const document =
      format === 'json' && page !== undefined
        ? () => page(base)
        : () => projectDocument(project, format, base)
    return this.#document(name, format, project.serial, document, headers)
  }

  #document(
    name: string,
    format: Format,
    serial: number,
    document: () => Iterable<string> | Buffer,
    asked: IncomingHttpHeaders
  ): Answer {
    const headers: Record<string, string | number> = {
      'content-type': mediaTypes[format],
      'x-pypi-last-serial': serial,
      vary: 'Accept, Accept-Encoding'
    }
    if (this.#validators) {
      headers.etag = `"${serial.toString(36)}-${format}"`
      headers['last-modified'] = new Date(firstModified + serial * 1000).toUTCString()
      if (unchanged(asked, headers.etag, headers['last-modified']))
        return { status: 304, headers, body: empty }
    }
    const gzip = this.#gzip && acceptsGzip(asked['accept-encoding'])
    if (gzip) headers['content-encoding'] = 'gzip'
    const key = `${gzip} ${format} ${serial} ${name}`
    let body = this.#cache.get(key)
    if (body === undefined) {
      const made = document()
      const bytes = Buffer.isBuffer(made) ? made : whole(made)
      // What was read of it is gone: it begins anew.
      if (bytes === undefined) {
        return { status: 200, headers, body: pieces(document() as Iterable<string>), gzip }
      }
      body = gzip ? gzipSync(bytes, { level: 1 }) : bytes
      // A page that is quick to make is not worth the memory.
      if (body !== made) this.#keep(key, body)
    }
    headers['content-length'] = body.length
    return { status: 200, headers, body }
  }

  #file(path: string, asked: IncomingHttpHeaders): Answer {
    const content = this.#source.content(path)
    if (content === undefined) return plain(404, 'Not found')
    const headers: Record<string, string | number> = {
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes'
    }
    if (this.#validators) {
      headers.etag = content.etag
      headers['last-modified'] = fileModified
      if (unchanged(asked, content.etag, fileModified)) return { status: 304, headers, body: empty }
    }
    const range = /^bytes=(\d*)-(\d*)$/.exec(asked.range ?? '')
    const wanted = asked['if-range']
    const current =
      wanted === undefined || (this.#validators && (wanted === content.etag || wanted === fileModified))
    if (range === null || range[0] === 'bytes=-' || !current)
      return part(200, headers, content, 0, content.size)
    const [, first = '', last = ''] = range
    const start = first === '' ? Math.max(0, content.size - Number(last)) : Number(first)
    const end = first === '' || last === '' ? content.size : Math.min(content.size, Number(last) + 1)
    if (start >= end) {
      return {
        status: 416,
        headers: { 'content-range': `bytes */${content.size}`, 'content-length': 0 },
        body: empty
      }
    }
    headers['content-range'] = `bytes ${start}-${end - 1}/${content.size}`
    return part(206, headers, content, start, end)
  }

  #keep(key: string, body: Buffer): void {
    this.#cache.set(key, body)
    this.#cached += body.length
    for (const [oldest, old] of this.#cache) {
      if (this.#cached <= maxCached) break
      this.#cache.delete(oldest)
      this.#cached -= old.length
    }
  }
}

/** What a path asks for. */
export function kindOf(path: string): RequestKind {
  if (path === '/simple/') return 'listing'
  if (path.startsWith('/simple/')) return 'project'
  if (path.startsWith('/pypi/') && path.endsWith('/json')) return 'legacy'
  if (path.startsWith('/files/')) return path.endsWith('.metadata') ? 'metadata' : 'file'
  return 'other'
}

/** An answer in a few words. */
export function plain(status: number, text: string): Answer {
  const body = Buffer.from(`${text}\n`)
  return { status, headers: { 'content-type': 'text/plain', 'content-length': body.length }, body }
}

const empty = Buffer.alloc(0)
/** The time of serial 0; a later serial is later. */
const firstModified = Date.UTC(2024, 0, 1)
const fileModified = new Date(Date.UTC(2025, 0, 1)).toUTCString()

function part(
  status: number,
  headers: Record<string, string | number>,
  content: Content,
  start: number,
  end: number
): Answer {
  headers['content-length'] = end - start
  const chunks = content.chunks(start, end)
  return { status, headers, body: end - start > maxWhole ? chunks : Buffer.concat([...chunks]) }
}

function unchanged(asked: IncomingHttpHeaders, etag: string, modified: string): boolean {
  const tags = asked['if-none-match']
  if (tags !== undefined) {
    return tags === '*' || tags.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)
  }
  const since = asked['if-modified-since']
  return since !== undefined && Date.parse(since) >= Date.parse(modified)
}

/** The document in one piece, or `undefined` when it is too long for that. */
function whole(document: Iterable<string>): Buffer | undefined {
  let text = ''
  for (const chunk of document) {
    text += chunk
    if (text.length > maxWhole) return undefined
  }
  return Buffer.from(text)
}

function* pieces(document: Iterable<string>): Iterable<Buffer> {
  let text = ''
  for (const chunk of document) {
    text += chunk
    if (text.length < pieceLength) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
