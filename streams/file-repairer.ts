/**
 * Fetches broken files again, from where their packages say that they lie.
 *
 * in     `BrokenFile`
 * out    each with whether it is repaired, in the order in which that is done
 * holds  at most `highWaterMark` unstarted, `concurrency` in flight, and `concurrency + highWaterMark - 1` in flight
 *        or unread together
 * fails  with a `CatalogError` or a `StoreError`, or a `TemporaryFileError` where a download cannot be kept
 *
 * What cannot be had is taken out of the catalog and the store, and its projects are due at the next sync.
 */
import type { BrokenFile, Holder, Verification } from '../lib/catalog/verification.js'
import { DownloadError, TemporaryFileError } from '../lib/errors.js'
import { type Downloadable, download } from '../lib/http/download.js'
import { downloadSettings, type RequestOptions } from '../lib/http/settings.js'
import type { Store } from '../lib/store/store.js'
import { ConcurrentTransform, type ConcurrentTransformOptions } from './concurrent-transform.js'

export interface FileRepairerOptions
  extends ConcurrentTransformOptions,
    Omit<RequestOptions, 'digest' | 'directory' | 'allowPrivate'> {
  /** From `Catalog.beginVerification`. */
  readonly verification: Verification
  readonly store: Store
}

export interface RepairedFile extends BrokenFile {
  readonly repaired: boolean
  /** Why it is not. */
  readonly why?: string | undefined
}

/** Other URLs that are tried. */
const MAX_MIRRORS = 3

export class FileRepairer extends ConcurrentTransform<BrokenFile, RepairedFile> {
  readonly #verification: Verification
  readonly #store: Store
  readonly #requests: RequestOptions
  readonly #allowsPrivate = new Map<number, Promise<boolean>>()

  constructor({ verification, store, concurrency, highWaterMark, signal, ...requests }: FileRepairerOptions) {
    const all: RequestOptions = { ...requests, digest: 'sha256', directory: store.temporaryDirectory }
    downloadSettings(all)
    super({ concurrency, highWaterMark, signal })
    this.#verification = verification
    this.#store = store
    this.#requests = all
  }

  protected override async _call(file: BrokenFile, signal: AbortSignal): Promise<RepairedFile | undefined> {
    const { sha256, holders, wrong } = file
    const [holder] = holders
    try {
      if (holder === undefined) await this.#lose(file)
      else {
        const size = wrong.kind === 'wrong-size' ? file.read : await this.#fetch(file, holder, signal)
        await this.#verification.mend({ sha256, size }, new Date().toISOString())
      }
      return { ...file, repaired: true }
    } catch (error) {
      if (signal.aborted) return undefined
      if (!(error instanceof DownloadError) || error instanceof TemporaryFileError) throw error
      await this.#lose(file)
      return { ...file, repaired: false, why: error.message }
    }
  }

  async #lose({ sha256, holders }: BrokenFile): Promise<void> {
    await this.#verification.lose(sha256, holders)
    await this.#store.delete(sha256)
  }

  /** Puts the file anew into the store. Returns its size. */
  async #fetch(
    { sha256, holders }: BrokenFile,
    { repositoryId }: Holder,
    signal: AbortSignal
  ): Promise<number> {
    const [url = '', ...others] = new Set(holders.map(({ url }) => url))
    const item: Downloadable = { url, mirrors: others.slice(0, MAX_MIRRORS), digests: { sha256 } }
    const allowPrivate = await this.#allows(repositoryId)
    const { body } = await download(item, downloadSettings({ ...this.#requests, allowPrivate }), signal)
    try {
      // A file of the right size is taken for what it should be.
      await this.#store.delete(sha256)
      return (await this.#store.put(body, { sha256, url })).size
    } finally {
      await body.discard()
    }
  }

  #allows(repositoryId: number): Promise<boolean> {
    let allows = this.#allowsPrivate.get(repositoryId)
    if (allows === undefined) {
      allows = this.#verification.allowsPrivate(repositoryId)
      this.#allowsPrivate.set(repositoryId, allows)
    }
    return allows
  }
}
