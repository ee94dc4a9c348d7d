/**
 * Downloads one item: follows redirects, tries again by the retry policy, resumes what was cut off, and hands
 * out a body only when it is complete and is what the item promises.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import {
  BodyTooLargeError,
  DigestError,
  DownloadError,
  NetworkError,
  RedirectError,
  SizeError,
  StatusError,
  TimeoutError
} from '../errors.js'
import type { Digests } from '../pypi/package.js'
import { checkUrl } from './address.js'
import { Body, type Downloaded } from './body.js'
import { ACCEPTED_ENCODINGS, BodySink } from './body-sink.js'
import { type ExpectedDigest, expectedDigest } from './digest.js'
import { type Answer, exchange, type Headers } from './exchange.js'
import type { Origins } from './origins.js'
import { redactUrl } from './redact.js'
import { isRetried, type RetryPolicy, retryDelay, SLOW_DOWN_STATUS_CODES } from './retry.js'
import { Spool } from './spool.js'

/** What can be downloaded. Size and digests, where stated, are what the body is checked against. */
export interface Downloadable {
  /** Absolute, `http:` or `https:`. */
  readonly url: string
  /** Bytes. */
  readonly size?: number | undefined
  /** By algorithm, in hex; the strongest that can be computed is checked. */
  readonly digests?: Digests | undefined
  /** Added to the request. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Other URLs of the same bytes, tried in order after `url`, each with all its retries. */
  readonly mirrors?: readonly string[] | undefined
}

/** All settings of a download, resolved; `Downloader` fills in the defaults and describes each. */
export interface DownloadSettings {
  readonly dispatcher: Dispatcher
  readonly origins: Origins
  readonly retry: RetryPolicy
  readonly headers: Readonly<Record<string, string>>
  readonly authorization: ((origin: string) => string | undefined) | undefined
  readonly digest: string | undefined
  readonly directory: string
  readonly maxMemoryBytes: number
  readonly maxBodyBytes: number
  readonly maxRedirects: number
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly deadlineMs: number
  readonly minBytesPerSecond: number
  readonly allowPrivate: boolean
}

/** Told of what goes on in a download, while it does. */
export interface DownloadObserver {
  /** Bytes that came over the network. */
  onBytes?(bytes: number): void
  /** Bytes that the body will have, once its headers tell. */
  onLength?(bytes: number): void
  /** A request failed and is tried again after `delayMs`. */
  onRetry?(error: DownloadError, delayMs: number): void
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Headers that are for one origin's eyes. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'proxy-authorization']

/**
 * @throws {@link DownloadError}, with `attempts` and `durationMs`, when all attempts at all URLs failed, and
 * `signal.reason` when aborted
 */
export async function download<T extends Downloadable>(
  item: T,
  settings: DownloadSettings,
  signal: AbortSignal,
  observer: DownloadObserver = {}
): Promise<Downloaded<T>> {
  const startedAt = performance.now()
  let attempts = 0
  let failure: DownloadError | undefined
  for (const url of [item.url, ...(item.mirrors ?? [])]) {
    const transfer = new Transfer(item, url, settings, observer)
    try {
      for (let retry = 0; ; retry++) {
        attempts++
        try {
          return await transfer.attempt(attempts, signal)
        } catch (error) {
          if (signal.aborted) throw signal.reason
          failure = asDownloadError(error, redactUrl(url))
        }
        if (retry >= settings.retry.maxRetries || !(isRetried(failure) || transfer.restarts(failure))) break
        const delayMs = retryDelay(settings.retry, failure, retry)
        if (performance.now() - startedAt + delayMs > settings.deadlineMs) break
        if (failure instanceof StatusError && SLOW_DOWN_STATUS_CODES.has(failure.statusCode)) {
          settings.origins.pause(new URL(transfer.url).origin, delayMs)
        }
        observer.onRetry?.(failure, delayMs)
        await sleep(delayMs, undefined, { signal })
      }
    } finally {
      await transfer.close()
    }
  }
  const last = failure as DownloadError
  last.attempts = attempts
  last.durationMs = Math.round(performance.now() - startedAt)
  throw last
}

/** The attempts at one URL, and what they leave for the next one to go on from. */
class Transfer<T extends Downloadable> {
  /** Where the last request went. */
  url: string
  readonly #item: T
  readonly #from: string
  readonly #settings: DownloadSettings
  readonly #observer: DownloadObserver
  readonly #expected: ExpectedDigest | undefined
  readonly #algorithms = new Map<string, string>()
  #spool: Spool | undefined
  /** ETag or date of the partial body in the spool, if the server gave one that allows to resume. */
  #validator: string | undefined
  /** Spools that are being emptied. */
  readonly #emptied: Promise<void>[] = []

  constructor(item: T, url: string, settings: DownloadSettings, observer: DownloadObserver) {
    this.#item = item
    this.#from = url
    this.url = url
    this.#settings = settings
    this.#observer = observer
    this.#expected = expectedDigest(item.digests)
    if (this.#expected !== undefined)
      this.#algorithms.set(this.#expected.algorithm, this.#expected.nodeAlgorithm)
    if (settings.digest !== undefined) this.#algorithms.set(settings.digest, settings.digest)
  }

  async attempt(attempts: number, signal: AbortSignal): Promise<Downloaded<T>> {
    const { status, headers } = await this.#request(signal).catch(error => {
      // The spool takes no more than the stated size; what is longer has another size.
      const { size } = this.#item
      if (!(error instanceof BodyTooLargeError) || error.maxBytes !== size) throw error
      throw new SizeError(error.url, size, this.#spool?.received ?? 0)
    })
    const shown = redactUrl(this.url)
    if (status !== 304 && (status < 200 || status > 299)) throw new StatusError(shown, status, headers)
    const body =
      this.#spool === undefined ? new Body(Buffer.alloc(0)) : await this.#finish(this.#spool, shown)
    return { item: this.#item, url: this.url, status, headers, body, attempts }
  }

  /** Whether the failure is that the server did not take up our offer to resume: the next attempt makes none. */
  restarts(error: DownloadError): boolean {
    return error instanceof StatusError && error.statusCode === 416 && this.#discard()
  }

  /** Removes what no attempt finished. */
  async close(): Promise<void> {
    this.#discard()
    await Promise.all(this.#emptied)
  }

  async #request(signal: AbortSignal): Promise<Answer> {
    const { maxRedirects, allowPrivate, origins } = this.#settings
    let url = checkUrl(this.#from, allowPrivate)
    const firstOrigin = url.origin
    for (let redirects = 0; ; redirects++) {
      const headers = this.#headers(url, firstOrigin)
      url.username = ''
      url.password = ''
      this.url = url.href
      const { origin } = url
      await origins.enter(origin, signal)
      let answer: Answer
      try {
        answer = await exchange(url, { ...this.#settings, headers }, this.#accept, signal)
      } finally {
        origins.leave(origin)
      }
      if (!REDIRECTS.has(answer.status)) return answer
      url = this.#next(url, answer.headers.location, redirects >= maxRedirects, allowPrivate)
    }
  }

  #next(from: URL, location: string | string[] | undefined, last: boolean, allowPrivate: boolean): URL {
    const shown = redactUrl(from)
    if (last) throw new RedirectError(shown, `more than ${this.#settings.maxRedirects} times`)
    if (typeof location !== 'string' || !URL.canParse(location, from.href))
      throw new RedirectError(shown, 'without a place to go')
    const url = new URL(location, from)
    if (from.protocol === 'https:' && url.protocol === 'http:')
      throw new RedirectError(shown, 'from https to http')
    return checkUrl(url, allowPrivate)
  }

  #headers(url: URL, firstOrigin: string): Record<string, string> {
    const { headers: common, authorization } = this.#settings
    // What has a digest is wanted as it lies: servers label archives with codings that are part of the file.
    const coded = this.#expected === undefined && this.#item.size === undefined
    const headers: Record<string, string> = {
      'accept-encoding': coded ? ACCEPTED_ENCODINGS : 'identity',
      ...common
    }
    for (const [name, value] of Object.entries(this.#item.headers ?? {})) headers[name.toLowerCase()] = value
    if (url.origin !== firstOrigin) for (const name of PRIVATE_HEADERS) delete headers[name]
    const own = url.username === '' && url.password === '' ? authorization?.(url.origin) : basic(url)
    if (own !== undefined) headers.authorization = own
    if (this.#spool !== undefined && this.#spool.received > 0 && this.#validator !== undefined) {
      headers.range = `bytes=${this.#spool.received}-`
      headers['if-range'] = this.#validator
    }
    return headers
  }

  /** Prepares for the body: checks what the headers say of it, and takes up a partial one where they allow it. */
  readonly #accept = (status: number, headers: Headers): BodySink | undefined => {
    if (status < 200 || status > 299) return undefined
    const { maxBodyBytes, maxMemoryBytes, directory, minBytesPerSecond } = this.#settings
    const { size } = this.#item
    const url = redactUrl(this.url)
    if (!(status === 206 && this.#continues(headers))) this.#discard()
    this.#spool ??= new Spool({
      url,
      algorithms: this.#algorithms,
      maxMemoryBytes,
      maxBodyBytes: Math.min(size ?? maxBodyBytes, maxBodyBytes),
      directory
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
    this.#validator = encoding === undefined ? validator(headers) : undefined
    return new BodySink(spool, {
      url,
      encoding,
      maxMemoryBytes,
      minBytesPerSecond,
      onBytes: this.#observer.onBytes
    })
  }

  /** Whether a 206 goes on where the spool ends (RFC 9110, section 14.4). */
  #continues(headers: Headers): boolean {
    return String(headers['content-range']).startsWith(`bytes ${this.#spool?.received}-`)
  }

  /** The body, if it is what the item promises. Otherwise nothing is kept: a resumed one would be as wrong. */
  async #finish(spool: Spool, url: string): Promise<Body> {
    const { size } = this.#item
    if (size !== undefined && spool.received !== size) {
      this.#discard()
      throw new SizeError(url, size, spool.received)
    }
    const body = await spool.finish()
    this.#spool = undefined
    if (this.#expected !== undefined) {
      const { algorithm, value } = this.#expected
      const found = String(body.digests[algorithm])
      if (found !== value) {
        await body.discard()
        throw new DigestError(url, algorithm, value, found)
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
    this.#emptied.push(spool.reset())
    return true
  }
}

/** `Authorization` for the credentials that a URL carries (RFC 7617). */
function basic(url: URL): string {
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

/** What `If-Range` may carry: a strong ETag, else the date (RFC 9110, section 13.1.5). */
function validator(headers: Headers): string | undefined {
  const { etag } = headers
  if (typeof etag === 'string' && etag.startsWith('"')) return etag
  const date = headers['last-modified']
  return typeof date === 'string' ? date : undefined
}

const TIMEOUTS: ReadonlyMap<string | undefined, string> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'no headers in time'],
  ['UND_ERR_BODY_TIMEOUT', 'the body stalled']
])

/** Wraps what undici and the system throw, once. */
function asDownloadError(error: unknown, url: string): DownloadError {
  if (error instanceof DownloadError) return error
  const timeout = TIMEOUTS.get((error as NodeJS.ErrnoException).code)
  return timeout === undefined ? new NetworkError(url, error) : new TimeoutError(url, timeout, error)
}
