/**
 * Downloads one item: tries again by the retry policy, at one URL after the other, and hands out a body only when it
 * is complete and is what the item promises.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { DownloadError, StatusError } from '../errors.js'
import { DownloadWatch } from '../observe.js'
import type { Digests } from '../pypi/package.js'
import type { Downloaded } from './body.js'
import type { Origins } from './origins.js'
import { isRetried, type RetryPolicy, retryDelay, SLOW_DOWN_STATUS_CODES } from './retry.js'
import { Transfer } from './transfer.js'

/** What can be downloaded. Size and digests, where stated, are what the body is checked against. */
export interface Downloadable {
  /** Absolute, `http:` or `https:`. */
  readonly url: string
  /** Bytes. */
  readonly size?: number | undefined
  /** By algorithm, in hex; the strongest that can be computed is checked. */
  readonly digests?: Digests | undefined
  /** Added to the request. Those for one origin's eyes, such as `cookie`, are not sent to another by a redirect. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Other URLs of the same bytes, tried in order after `url`, each with all its retries. */
  readonly mirrors?: readonly string[] | undefined
}

/** All settings of a download, resolved; `Downloader` fills in the defaults and describes each. */
export interface DownloadSettings {
  readonly dispatcher: Dispatcher
  readonly origins: Origins
  readonly retry: RetryPolicy
  /** Names in lower case. */
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
  /**
   * The temporary file that a large body goes to has so many bytes of it. It may be removed and another begun, where a
   * body has to come again from its beginning.
   */
  onSpooled?(path: string, bytes: number): void
  /** A request failed and is made again after `delayMs`. */
  onRetry?(error: DownloadError, delayMs: number): void
}

/**
 * @throws {@link DownloadError}, with `attempts` and `durationMs`, when all attempts at all URLs failed;
 * `signal.reason` when aborted; what a function of the caller's throws
 */
export async function download<T extends Downloadable>(
  item: T,
  settings: DownloadSettings,
  signal: AbortSignal,
  observer: DownloadObserver = {}
): Promise<Downloaded<T>> {
  const watch = new DownloadWatch(item.url)
  try {
    const downloaded = await downloadFrom(item, settings, signal, observer, watch)
    watch.end(downloaded)
    return downloaded
  } catch (error) {
    watch.fail(error as Error)
    throw error
  }
}

async function downloadFrom<T extends Downloadable>(
  item: T,
  settings: DownloadSettings,
  signal: AbortSignal,
  observer: DownloadObserver,
  watch: DownloadWatch
): Promise<Downloaded<T>> {
  const startedAt = performance.now()
  const deadline = startedAt + settings.deadlineMs
  const urls = item.mirrors === undefined ? [item.url] : [item.url, ...item.mirrors]
  let attempts = 0
  let failure: DownloadError | undefined
  for (const url of urls) {
    if (failure !== undefined && performance.now() >= deadline) break
    let transfer: Transfer | undefined
    try {
      for (let retry = 0; ; retry++) {
        try {
          transfer ??= new Transfer(item, url, settings, observer, deadline)
          const { status, headers, body } = await transfer.attempt(signal)
          return {
            item,
            url: transfer.finalUrl,
            status,
            headers,
            body,
            attempts: attempts + transfer.attempts
          }
        } catch (error) {
          if (signal.aborted || !(error instanceof DownloadError)) throw error
          failure = error
        }
        const delayMs = retryDelay(settings.retry, failure, retry)
        // Also after the last attempt: the others are to slow down all the same.
        if (failure instanceof StatusError && SLOW_DOWN_STATUS_CODES.has(failure.statusCode))
          settings.origins.pause(new URL(failure.url).origin, delayMs)
        if (retry >= settings.retry.maxRetries || !(isRetried(failure) || transfer?.restarts(failure))) break
        if (performance.now() + delayMs > deadline) break
        watch.retry(failure, delayMs)
        observer.onRetry?.(failure, delayMs)
        await sleep(delayMs, undefined, { signal })
      }
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    } finally {
      await transfer?.close()
    }
    attempts += transfer?.attempts ?? 0
  }
  const last = failure as DownloadError
  last.attempts = attempts
  last.durationMs = Math.round(performance.now() - startedAt)
  throw last
}
