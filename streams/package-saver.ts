/**
 * Saves packages in the catalog, and their files in the store: one transaction a batch.
 *
 * in     `Package`, or `Downloaded<Package>` with its file
 * out    the saved packages, after commit, with `stored` where the store has the file; in order
 * holds  as {@link BatchTransform}, of which one batch is collected and one in its transaction; of files 32 in each of
 *        these, and of bodies in memory 16 MiB and the one that went past that
 * fails  with a `CatalogError` or a `StoreError`; a file that is not what its package says is a `'skip'`
 *        (the object written, error), and its package is not saved
 *
 * What is saved is a draft: nobody sees it before a `VersionWriter` commits the run. A file is put into the
 * store before its row is written, so that no row speaks of a file that is not there. Emits `'saved'`
 * (packages, how many of them brought a file) after each commit.
 */
import type { KnownPackage } from '../lib/catalog/known.js'
import type { Run } from '../lib/catalog/run.js'
import { StoreError } from '../lib/errors.js'
import type { Downloaded } from '../lib/http/body.js'
import type { Store, StoredFile } from '../lib/store/store.js'
import { BatchTransform, type BatchTransformOptions } from './batch-transform.js'
import { skip } from './skip.js'

export interface PackageSaverOptions extends BatchTransformOptions {
  /** From `Catalog.beginRun`. */
  readonly run: Run
  /** Where files go. Without one, bodies are discarded. */
  readonly store?: Store | undefined
}

/** What the saver takes. */
export type Savable = KnownPackage | Downloaded<KnownPackage>

/** Bytes of bodies in memory that make a batch full: a batch of 480 could hold 480 times that much of a body. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

/** Files that make a batch full: what a process that dies has fetched for nothing. Beside two waits for the disk a file, a transaction costs little. */
const MAX_BATCH_FILES = 32

/** The package of what a saver takes. */
export function packageOf(item: Savable): KnownPackage {
  return 'item' in item ? item.item : item
}

export class PackageSaver extends BatchTransform<Savable, KnownPackage> {
  readonly #run: Run
  readonly #store: Store | undefined
  /** In the batch that is collected. */
  #files = 0
  #bytes = 0
  #saved = 0

  constructor({ run, store, ...options }: PackageSaverOptions) {
    super(options)
    this.#run = run
    this.#store = store
  }

  /** Packages saved so far. */
  get saved(): number {
    return this.#saved
  }

  protected override _fills(item: Savable): boolean {
    if (!('item' in item) || item.attempts === 0) return false
    this.#files++
    this.#bytes += item.body.data?.length ?? 0
    return this.#files >= MAX_BATCH_FILES || this.#bytes >= MAX_BATCH_BYTES
  }

  protected override async _batch(items: readonly Savable[], signal: AbortSignal): Promise<KnownPackage[]> {
    this.#files = this.#bytes = 0
    const files = new Map<KnownPackage, StoredFile>()
    const failed = await this.#putAll(items, files, signal)
    const packages: KnownPackage[] = []
    for (const item of items) if (!failed.has(item)) packages.push(packageOf(item))
    if (packages.length === 0) return packages
    await this.#run.savePackages(packages, files)
    this.#saved += packages.length
    const saved =
      files.size === 0
        ? packages
        : packages.map(pkg => {
            const file = files.get(pkg)
            return file === undefined ? pkg : { ...pkg, stored: file.sha256 }
          })
    this.emit('saved', saved, files.size)
    return saved
  }

  protected override async _discard(items: readonly Savable[]): Promise<void> {
    for (const item of items) if ('item' in item) await item.body.discard()
  }

  /** Puts the files of a batch into the store; returns the items whose file is not what it should be. */
  async #putAll(
    items: readonly Savable[],
    files: Map<KnownPackage, StoredFile>,
    signal: AbortSignal
  ): Promise<Set<Savable>> {
    const failed = new Set<Savable>()
    const downloads: Downloaded<KnownPackage>[] = []
    for (const item of items) if ('item' in item && item.attempts > 0) downloads.push(item)
    let next = 0
    let failure: unknown
    const work = async () => {
      while (next < downloads.length && failure === undefined && !signal.aborted) {
        const download = downloads[next++] as Downloaded<KnownPackage>
        const { body, item } = download
        try {
          if (this.#store === undefined) continue
          files.set(item, await this.#store.put(body, { sha256: item.digests.sha256, url: item.url }))
        } catch (error) {
          if (error instanceof StoreError || !skip(this, download, error as Error)) failure ??= error
          else failed.add(download)
        } finally {
          await body.discard()
        }
      }
    }
    const puts = Math.min(this.#store?.concurrency ?? 1, downloads.length)
    await Promise.all(Array.from({ length: puts }, work))
    await this._discard(downloads.slice(next))
    if (failure !== undefined) throw failure
    signal.throwIfAborted()
    return failed
  }
}
