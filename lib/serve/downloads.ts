/**
 * The downloads that clients wait for: one for each file, however many ask for it.
 */

import { RecentMap } from '../catalog/recent-map.js'
import { DigestError, type DownloadError, SizeError } from '../errors.js'
import type { Body } from '../http/body.js'
import type { DownloadSettings } from '../http/download.js'
import type { Digests } from '../pypi/package.js'
import { SharedDownload } from './shared-download.js'

/** A file that is to be fetched. */
export interface WantedFile {
  /** The same for the same bytes. */
  readonly key: string
  readonly url: string
  readonly size?: number | undefined
  readonly digests: Digests
  readonly settings: DownloadSettings
  /** Takes the checked body, if it is to be kept. */
  readonly keep?: ((body: Body) => Promise<void>) | undefined
}

/** A download that was joined, or why there is none, and in how many ms it is tried again. */
export type Joined =
  | { readonly kind: 'download'; readonly download: SharedDownload }
  | { readonly kind: 'refused'; readonly error: DownloadError; readonly againMs: number }

export interface DownloadsOptions {
  /** How long a file that came wrong is not asked for again, in ms. */
  readonly coolDownMs: number
  readonly log: (line: string) => void
  /** Bytes that came over the network. */
  readonly onBytes: (bytes: number) => void
  /** A client waits for a download, which another began or not. */
  readonly onJoin: (shared: boolean) => void
}

/** Files remembered that came wrong. */
const REMEMBERED = 1000

export class Downloads {
  readonly #options: DownloadsOptions
  readonly #running = new Map<string, SharedDownload>()
  readonly #wrong = new RecentMap<string, { readonly until: number; readonly error: DownloadError }>(
    REMEMBERED
  )

  #finished = 0

  constructor(options: DownloadsOptions) {
    this.#options = options
  }

  /** Downloads that have come to their end. */
  get finished(): number {
    return this.#finished
  }

  /** Downloads under way. */
  get inFlight(): number {
    return this.#running.size
  }

  /** Whether a file is on its way. */
  has(key: string): boolean {
    return this.#running.has(key)
  }

  /**
   * Joins the download of a file, or begins it. The caller leaves it when they are done. Where the file came wrong a
   * short while ago, the answer is what was wrong with it.
   */
  join(file: WantedFile): Joined {
    const running = this.#running.get(file.key)
    if (running !== undefined) {
      this.#options.onJoin(true)
      running.join()
      return { kind: 'download', download: running }
    }
    const wrong = this.#wrong.get(file.key)
    const againMs = wrong === undefined ? 0 : wrong.until - performance.now()
    if (wrong !== undefined && againMs > 0) return { kind: 'refused', error: wrong.error, againMs }
    const { key, url, size, digests, settings, keep } = file
    const started = new SharedDownload(
      { url, size, digests },
      {
        settings,
        keep: keep !== undefined,
        onBody: async body => keep?.(body),
        onEnd: () => {
          if (this.#running.get(key) !== started) return
          this.#running.delete(key)
          this.#finished++
        },
        onBytes: this.#options.onBytes
      }
    )
    this.#options.onJoin(false)
    this.#running.set(key, started)
    started.join()
    started.whole.catch((error: Error) => this.#failed(key, error))
    return { kind: 'download', download: started }
  }

  /** Ends all downloads, and resolves when they have ended. */
  async close(): Promise<void> {
    const running = [...this.#running.values()]
    for (const download of running) download.abort()
    await Promise.allSettled(running.map(({ whole }) => whole))
  }

  #failed(key: string, error: Error & { code?: string }): void {
    if (error.name === 'AbortError') return
    this.#options.log(`${error.message} [${error.code}]`)
    // What is wrong upstream stays so for a while, and may be large.
    if (error instanceof DigestError || error instanceof SizeError)
      this.#wrong.set(key, { until: performance.now() + this.#options.coolDownMs, error })
  }
}
