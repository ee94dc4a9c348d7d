/**
 * Downloads what each object's `url` leads to, `concurrency` at once.
 *
 * in     any object with a `url`, and `size` and `digests` where they are known
 * out    one `Downloaded` for each, complete and checked, in the order in which they finish
 * holds  at most `highWaterMark` unstarted objects, `concurrency` downloads in flight, and
 *        `concurrency + highWaterMark - 1` in flight or unread together, each with up to `maxMemoryBytes` of
 *        memory; a larger body lies in a temporary file, with 1 MiB of it on the way there. A download starts only
 *        while the bytes in flight and those the object states stay within `maxBytesInFlight`, or alone
 * fails  never with one object's error: that is a `'skip'` (object, DownloadError), unless nobody listens; with what
 *        a function among the options or a listener throws
 *
 * Emits `'retry'` (object, DownloadError, ms to wait) before each request that is made again, and `'downloaded'`
 * (Downloaded) when a body is there.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Dispatcher } from 'undici'
import { DownloadError } from '../lib/errors.js'
import { sharedDispatcher, USER_AGENT } from '../lib/http/agent.js'
import { Body, type Downloaded } from '../lib/http/body.js'
import { type Downloadable, type DownloadSettings, download } from '../lib/http/download.js'
import { type OriginOptions, Origins } from '../lib/http/origins.js'
import { type RetryOptions, retryPolicy } from '../lib/http/retry.js'
import { statedSize } from '../lib/http/transfer.js'
import { finite, integer } from '../lib/options.js'
import { ConcurrentTransform, type ConcurrentTransformOptions } from './concurrent-transform.js'
import { skip } from './skip.js'

export interface DownloaderOptions<T> extends ConcurrentTransformOptions, RetryOptions {
  /** Downloads in flight at once. @defaultValue 16 */
  readonly concurrency?: number | undefined
  /** Which objects to download; the others pass by with an empty body and `attempts: 0`. @defaultValue all */
  readonly needed?: ((item: T) => boolean) | undefined
  /** Where requests go. @defaultValue one undici `Agent` for the process */
  readonly dispatcher?: Dispatcher | undefined
  /** Sent with every request, to whatever origin; credentials belong into `authorization`. @defaultValue `user-agent: millrace/VERSION` */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The `Authorization` header for an origin, if it has one; no other origin gets it. */
  readonly authorization?: ((origin: string) => string | undefined) | undefined
  /** Limits for each origin; an `Origins` is shared between downloaders. @defaultValue none */
  readonly origins?: Origins | OriginOptions | undefined
  /** Digest to compute of every body, as `node:crypto` names it. @defaultValue only what an object states */
  readonly digest?: 'sha256' | undefined
  /** Folder for temporary files; made when it is needed. @defaultValue one of the user's in the system's */
  readonly directory?: string | undefined
  /** Bytes of a body kept in memory; a larger one goes to a file. @defaultValue 1 MiB */
  readonly maxMemoryBytes?: number | undefined
  /** Bytes that downloads in flight may have together; a larger one runs alone. @defaultValue 1 GiB */
  readonly maxBytesInFlight?: number | undefined
  /** Bytes of a body, decoded. @defaultValue 8 GiB */
  readonly maxBodyBytes?: number | undefined
  /** Redirects followed for one request. @defaultValue 10 */
  readonly maxRedirects?: number | undefined
  /** Time until an answer's headers are there, in ms; 0 for no limit. @defaultValue 60,000 */
  readonly headersTimeout?: number | undefined
  /** Time between two chunks of a body, in ms; 0 for no limit. @defaultValue 30,000 */
  readonly bodyTimeout?: number | undefined
  /**
   * Time for one object, in ms. After it nothing is tried again; a body that still comes is given up with its next
   * bytes, or when none came for as long as the request had when it was made. @defaultValue 3,600,000 (an hour)
   */
  readonly deadlineMs?: number | undefined
  /** The least pace of a body, looked at every 30 s. @defaultValue 1,000 */
  readonly minBytesPerSecond?: number | undefined
  /** Whether URLs may lead to loopback and private addresses. @defaultValue true */
  readonly allowPrivate?: boolean | undefined
}

const MIB = 1024 * 1024

/** Longer times overflow Node's timers. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

const NO_BODY = new Body(Buffer.alloc(0))

/** By user, since a folder in the system's has one owner. */
const TEMPORARY_DIRECTORY = join(tmpdir(), `millrace-${process.getuid?.() ?? 'user'}`)

export class Downloader<T extends Downloadable = Downloadable> extends ConcurrentTransform<T, Downloaded<T>> {
  readonly #settings: DownloadSettings
  readonly #needed: ((item: T) => boolean) | undefined
  readonly #maxBytesInFlight: number
  /** Whether the object that `_admits` was asked for last needs no download. */
  #passes = false
  #bytesInFlight = 0
  #bytes = 0
  #retries = 0

  constructor({
    needed,
    headers,
    authorization,
    origins,
    digest,
    directory = TEMPORARY_DIRECTORY,
    maxMemoryBytes = MIB,
    maxBytesInFlight = 1024 * MIB,
    maxBodyBytes = 8 * 1024 * MIB,
    maxRedirects = 10,
    headersTimeout = 60_000,
    bodyTimeout = 30_000,
    deadlineMs = 3_600_000,
    minBytesPerSecond = 1000,
    allowPrivate = true,
    dispatcher = sharedDispatcher(allowPrivate),
    maxRetries,
    minTimeout,
    maxTimeout,
    timeoutFactor,
    retryAfter,
    ...options
  }: DownloaderOptions<T> = {}) {
    integer('maxMemoryBytes', maxMemoryBytes, 0)
    integer('maxBytesInFlight', maxBytesInFlight, 1)
    integer('maxBodyBytes', maxBodyBytes, 0)
    integer('maxRedirects', maxRedirects, 0)
    integer('headersTimeout', headersTimeout, 0, MAX_TIMEOUT_MS)
    integer('bodyTimeout', bodyTimeout, 0, MAX_TIMEOUT_MS)
    finite('deadlineMs', deadlineMs, 1, MAX_TIMEOUT_MS)
    finite('minBytesPerSecond', minBytesPerSecond, 0)
    const retry = retryPolicy({ maxRetries, minTimeout, maxTimeout, timeoutFactor, retryAfter })
    super(options)
    this.#needed = needed
    this.#maxBytesInFlight = maxBytesInFlight
    this.#settings = {
      dispatcher,
      origins: origins instanceof Origins ? origins : new Origins(origins),
      retry,
      headers: { 'user-agent': USER_AGENT, ...lowerCased(headers) },
      authorization,
      digest,
      directory,
      maxMemoryBytes,
      maxBodyBytes,
      maxRedirects,
      headersTimeout,
      bodyTimeout,
      deadlineMs,
      minBytesPerSecond,
      allowPrivate
    }
  }

  /** Bytes that downloads in flight have, or will have as far as that is known. */
  get bytesInFlight(): number {
    return this.#bytesInFlight
  }

  /** Bytes that came over the network so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Requests that were made again so far. */
  get retries(): number {
    return this.#retries
  }

  protected override _admits(item: T): boolean {
    // Asked once for each object, and again only while it waits for others' bytes.
    this.#passes = this.#needed?.(item) === false
    if (this.#passes || this.#bytesInFlight === 0) return true
    return this.#bytesInFlight + (statedSize(item) ?? 0) <= this.#maxBytesInFlight
  }

  protected override async _call(item: T, signal: AbortSignal): Promise<Downloaded<T> | undefined> {
    if (this.#passes) return { item, url: item.url, status: 0, headers: {}, body: NO_BODY, attempts: 0 }
    let held = 0
    let received = 0
    const hold = (bytes: number) => {
      this.#bytesInFlight += bytes - held
      held = bytes
    }
    hold(statedSize(item) ?? 0)
    try {
      const downloaded = await download(item, this.#settings, signal, {
        onLength: length => hold(Math.max(held, length)),
        onBytes: bytes => {
          this.#bytes += bytes
          received += bytes
          if (received > held) hold(received)
        },
        onRetry: (error, delayMs) => {
          this.#retries++
          received = 0
          this.emit('retry', item, error, delayMs)
        }
      })
      this.emit('downloaded', downloaded)
      return downloaded
    } catch (error) {
      if (signal.aborted) return undefined
      if (!(error instanceof DownloadError)) throw error
      skip(this, item, error)
      return undefined
    } finally {
      hold(0)
    }
  }

  protected override _discard({ body }: Downloaded<T>): Promise<void> | void {
    if (body.path !== undefined) return body.discard()
  }
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
