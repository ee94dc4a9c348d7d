/**
 * The attempts to download one item from one URL: follows redirects, checks what comes, and keeps what came of a
 * body that was cut off, so that the next attempt goes on from there.
 */
import {
  BodyTooLargeError,
  DigestError,
  DownloadError,
  NetworkError,
  RedirectError,
  SizeError,
  StatusError,
  TimeoutError,
  UrlError
} from '../errors.js'
import { checkUrl } from './address.js'
import { Body } from './body.js'
import { ACCEPTED_ENCODINGS, BodySink } from './body-sink.js'
import { basicAuthorization } from './credentials.js'
import { type ExpectedDigest, expectedDigest } from './digest.js'
import type { Downloadable, DownloadObserver, DownloadSettings } from './download.js'
import { type Answer, type ExchangeOptions, exchange, type Headers } from './exchange.js'
import { redactUrl } from './redact.js'
import { continuation, validator } from './resume.js'
import { Spool } from './spool.js'

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Headers that are for one origin's eyes. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'proxy-authorization']

export class Transfer {
  /** Attempts that made a request. */
  attempts = 0
  readonly #from: URL
  /** Where the last request went. */
  #url: URL
  readonly #settings: DownloadSettings
  readonly #observer: DownloadObserver
  readonly #deadline: number
  readonly #size: number | undefined
  readonly #expected: ExpectedDigest | undefined
  readonly #headers: Record<string, string>
  /** A part is asked for by the item itself; then none of ours can be. */
  readonly #ranged: boolean
  #spool: Spool | undefined
  /** What the partial body in the spool can be taken up with, if it can. */
  #validator: string | undefined
  /** Size of the whole body, told by an answer that went on with it. */
  #total: number | undefined
  /** Spools that are being removed. */
  #discarded: Promise<void>[] | undefined

  /** @param deadline as `performance.now()` counts. @throws {@link UrlError} */
  constructor(
    item: Downloadable,
    url: string,
    settings: DownloadSettings,
    observer: DownloadObserver,
    deadline: number
  ) {
    this.#from = this.#url = checkUrl(url, settings.allowPrivate)
    this.#settings = settings
    this.#observer = observer
    this.#deadline = deadline
    this.#size = statedSize(item)
    this.#expected = expectedDigest(item.digests)
    // What has a digest is wanted as it lies: servers label archives with codings that are part of the file.
    const coded = this.#expected === undefined && this.#size === undefined
    this.#headers = { 'accept-encoding': coded ? ACCEPTED_ENCODINGS : 'identity', ...settings.headers }
    if (item.headers !== undefined)
      for (const [name, value] of Object.entries(item.headers)) this.#headers[name.toLowerCase()] = value
    this.#ranged = this.#headers.range !== undefined
  }

  /** Where the last request went, without credentials. */
  get finalUrl(): string {
    if (this.#url.username === '' && this.#url.password === '') return this.#url.href
    const url = new URL(this.#url)
    url.username = ''
    url.password = ''
    return url.href
  }

  /** @throws {@link DownloadError}, `signal.reason`, and what a function of the caller's throws */
  async attempt(signal: AbortSignal): Promise<Answer & { readonly body: Body }> {
    const { status, headers } = await this.#request(signal)
    if (status !== 304 && (status < 200 || status > 299)) {
      const asked = headers['retry-after']
      throw new StatusError(this.#shown, status, Array.isArray(asked) ? asked[0] : asked)
    }
    const body = this.#spool === undefined ? new Body(Buffer.alloc(0)) : await this.#finish(this.#spool)
    return { status, headers, body }
  }

  /** Whether the failure is that the server did not take up our offer to go on: the next attempt makes none. */
  restarts(error: DownloadError): boolean {
    return error instanceof StatusError && [206, 416].includes(error.statusCode) && this.#discard()
  }

  /** Removes what no attempt finished. */
  close(): Promise<unknown> | undefined {
    this.#discard()
    return this.#discarded && Promise.all(this.#discarded)
  }

  get #shown(): string {
    return redactUrl(this.#url)
  }

  async #request(signal: AbortSignal): Promise<Answer> {
    this.#url = this.#from
    let answer = await this.#send(signal)
    for (let redirects = 0; REDIRECTS.has(answer.status); redirects++) {
      this.#url = this.#next(answer.headers.location, redirects >= this.#settings.maxRedirects)
      answer = await this.#send(signal)
    }
    return answer
  }

  /** One request to where we are now, when its origin's turn comes. */
  async #send(signal: AbortSignal): Promise<Answer> {
    const { dispatcher, origins, headersTimeout, bodyTimeout } = this.#settings
    const { origin } = this.#url
    const turn = origins.enter(origin, signal)
    if (turn !== undefined) await turn
    try {
      const leftMs = Math.ceil(this.#deadline - performance.now())
      if (leftMs <= 0) throw new TimeoutError(this.#shown, 'its turn came after the deadline')
      const options = {
        dispatcher,
        headers: this.#headersFor(this.#url),
        headersTimeout: atMost(headersTimeout, leftMs),
        bodyTimeout: atMost(bodyTimeout, leftMs)
      }
      if (this.#url === this.#from) this.attempts++
      return await this.#exchange(options, signal)
    } finally {
      origins.leave(origin)
    }
  }

  async #exchange(options: ExchangeOptions, signal: AbortSignal): Promise<Answer> {
    try {
      return await exchange(this.#url, options, this.#accept, signal)
    } catch (error) {
      // A body of another size than promised is none to go on with.
      if (error instanceof SizeError) this.#discard()
      throw asDownloadError(error, this.#shown)
    }
  }

  #next(location: string | string[] | undefined, last: boolean): URL {
    const from = this.#url
    const { maxRedirects, allowPrivate } = this.#settings
    if (last) throw new RedirectError(this.#shown, `more than ${maxRedirects} times`)
    if (typeof location !== 'string' || !URL.canParse(location, from.href))
      throw new RedirectError(this.#shown, 'without a place to go')
    const url = new URL(location, from)
    if (from.protocol === 'https:' && url.protocol === 'http:')
      throw new RedirectError(this.#shown, 'from https to http')
    return checkUrl(url, allowPrivate)
  }

  #headersFor(url: URL): Record<string, string> {
    const headers = { ...this.#headers }
    if (url !== this.#from && url.origin !== this.#from.origin)
      for (const name of PRIVATE_HEADERS) delete headers[name]
    const own = basicAuthorization(url) ?? this.#settings.authorization?.(url.origin)
    if (own !== undefined) headers.authorization = own
    if (this.#validator !== undefined && this.#spool !== undefined && this.#spool.received > 0) {
      headers.range = `bytes=${this.#spool.received}-`
      headers['if-range'] = this.#validator
    }
    return headers
  }

  /** Prepares for the body: checks what the headers say of it, and takes up a partial one where they allow it. */
  readonly #accept = (status: number, headers: Headers): BodySink | undefined => {
    if (status < 200 || status > 299) return undefined
    const { maxBodyBytes, maxMemoryBytes, directory, minBytesPerSecond } = this.#settings
    const size = this.#size
    const url = this.#shown
    if (status === 206 && !this.#ranged) {
      this.#total = this.#continuation(headers)
      if (this.#total === undefined) throw new StatusError(url, status)
    } else {
      this.#discard()
    }
    this.#spool ??= new Spool({
      url,
      algorithms: this.#algorithms(),
      maxMemoryBytes,
      maxBodyBytes,
      size,
      directory,
      onSpooled: this.#observer.onSpooled
    })
    const spool = this.#spool
    const coding = headers['content-encoding']
    const encoding =
      this.#expected === undefined && size === undefined && coding !== undefined ? String(coding) : undefined
    const length = spool.received + Number(headers['content-length'] ?? Number.NaN)
    if (length >= 0 && encoding === undefined) {
      if (size !== undefined && length !== size) throw new SizeError(url, size, length)
      if (length > maxBodyBytes) throw new BodyTooLargeError(url, maxBodyBytes)
      this.#observer.onLength?.(length)
    }
    if (status !== 206) this.#validator = encoding === undefined ? validator(headers) : undefined
    return new BodySink(spool, {
      url,
      encoding,
      maxMemoryBytes,
      minBytesPerSecond,
      deadline: this.#deadline,
      onBytes: this.#observer.onBytes
    })
  }

  #algorithms(): ReadonlyMap<string, string> {
    const { digest } = this.#settings
    const algorithms = new Map<string, string>()
    if (this.#expected !== undefined) algorithms.set(this.#expected.algorithm, this.#expected.nodeAlgorithm)
    if (digest !== undefined) algorithms.set(digest, digest)
    return algorithms
  }

  #continuation(headers: Headers): number | undefined {
    if (this.#spool === undefined || this.#validator === undefined) return undefined
    return continuation(headers, this.#spool.received, this.#validator)
  }

  /** The body, if it is what the item promises. Otherwise nothing is kept: a resumed one would be as wrong. */
  async #finish(spool: Spool): Promise<Body> {
    const size = this.#size ?? this.#total
    if (size !== undefined && spool.received !== size) {
      this.#discard()
      throw new SizeError(this.#shown, size, spool.received)
    }
    const body = await spool.finish()
    this.#spool = undefined
    if (this.#expected !== undefined) {
      const { algorithm, value } = this.#expected
      const found = String(body.digests[algorithm])
      if (found !== value) {
        await body.discard()
        throw new DigestError(this.#shown, algorithm, value, found)
      }
    }
    return body
  }

  /** Gives up a partial body. Returns whether there was one. */
  #discard(): boolean {
    const spool = this.#spool
    if (spool === undefined) return false
    this.#spool = undefined
    this.#validator = undefined
    this.#total = undefined
    this.#discarded ??= []
    this.#discarded.push(spool.discard())
    return true
  }
}

/** The size that an item states, if it is one. */
export function statedSize({ size }: Downloadable): number | undefined {
  return Number.isSafeInteger(size) && (size as number) >= 0 ? size : undefined
}

/** undici reads 0 as no limit. */
function atMost(timeout: number, leftMs: number): number {
  return timeout === 0 ? leftMs : Math.min(timeout, leftMs)
}

const TIMEOUTS: ReadonlyMap<string | undefined, string> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'no headers in time'],
  ['UND_ERR_BODY_TIMEOUT', 'the body stalled']
])

/** Wraps what undici and the system throw, once. */
function asDownloadError(error: unknown, url: string): DownloadError {
  if (error instanceof DownloadError) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EPRIVATE') return new UrlError(url, message)
  const timeout = TIMEOUTS.get(code)
  return timeout === undefined ? new NetworkError(url, error) : new TimeoutError(url, timeout, error)
}
