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
 * Emits `'retry'` (object, DownloadError, ms to wait) before each request that is made again, `'downloaded'`
 * (Downloaded) when a body is there, and with `concurrency: 'auto'` `'concurrency'` (the new limit) when that changes.
 */
import { DownloadError } from '../lib/errors.js'
import { AdaptiveLimit } from '../lib/http/adaptive-limit.js'
import { Body, type Downloaded } from '../lib/http/body.js'
import { type Downloadable, type DownloadSettings, download } from '../lib/http/download.js'
import { isRetried } from '../lib/http/retry.js'
import { downloadSettings, type RequestOptions } from '../lib/http/settings.js'
import { statedSize } from '../lib/http/transfer.js'
import { concurrencyChanged } from '../lib/observe.js'
import { integer } from '../lib/options.js'
import { ConcurrentTransform, type ConcurrentTransformOptions } from './concurrent-transform.js'
import { skip } from './skip.js'

export interface DownloaderOptions<T>
  extends Omit<ConcurrentTransformOptions, 'concurrency'>,
    RequestOptions {
  /**
   * Downloads in flight at once. `auto` begins with 8 and finds out how many, up to 256, are worth it: it follows
   * throughput and latency, and backs off from errors, 429 and 503. The getter tells how many it is. @defaultValue 16
   */
  readonly concurrency?: number | 'auto' | undefined
  /** Which objects to download; the others pass by with an empty body and `attempts: 0`. @defaultValue all */
  readonly needed?: ((item: T) => boolean) | undefined
  /** Bytes that downloads in flight may have together; a larger one runs alone. @defaultValue 1 GiB */
  readonly maxBytesInFlight?: number | undefined
}

const NO_BODY = new Body(Buffer.alloc(0))

export class Downloader<T extends Downloadable = Downloadable> extends ConcurrentTransform<T, Downloaded<T>> {
  readonly #settings: DownloadSettings
  readonly #needed: ((item: T) => boolean) | undefined
  readonly #maxBytesInFlight: number
  /** Finds the concurrency, where that is `auto`. */
  readonly #limit: AdaptiveLimit | undefined
  /** Whether the object that `_admits` was asked for last needs no download. */
  #passes = false
  #bytesInFlight = 0
  #bytes = 0
  #retries = 0

  constructor({
    needed,
    maxBytesInFlight = 1024 * 1024 * 1024,
    concurrency,
    highWaterMark,
    signal,
    ...requests
  }: DownloaderOptions<T> = {}) {
    integer('maxBytesInFlight', maxBytesInFlight, 1)
    const settings = downloadSettings(requests)
    const limit = concurrency === 'auto' ? new AdaptiveLimit() : undefined
    super({ concurrency: concurrency === 'auto' ? limit?.limit : concurrency, highWaterMark, signal })
    this.#limit = limit
    this.#needed = needed
    this.#maxBytesInFlight = maxBytesInFlight
    this.#settings = settings
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
    const startedAt = performance.now()
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
          this.#failed()
          this.emit('retry', item, error, delayMs)
        }
      })
      if (downloaded.attempts === 1) this.#succeeded(startedAt)
      this.emit('downloaded', downloaded)
      return downloaded
    } catch (error) {
      // What an abort ends is no failure of its item.
      if (!signal.aborted) {
        if (!(error instanceof DownloadError)) throw error
        if (isRetried(error)) this.#failed()
        skip(this, item, error)
      }
    } finally {
      hold(0)
    }
    return undefined
  }

  #succeeded(startedAt: number): void {
    if (this.#limit === undefined) return
    const now = performance.now()
    this.#limit.succeeded({ now, latencyMs: now - startedAt, inFlight: this.inFlight })
    this.#follow(this.#limit)
  }

  #failed(): void {
    if (this.#limit === undefined) return
    this.#limit.failed(performance.now())
    this.#follow(this.#limit)
  }

  #follow({ limit }: AdaptiveLimit): void {
    if (limit === this.concurrency) return
    this.concurrency = limit
    this.emit('concurrency', limit)
    concurrencyChanged(limit)
  }

  protected override _discard({ body }: Downloaded<T>): Promise<void> | void {
    if (body.path !== undefined) return body.discard()
  }
}
