/**
 * Where the bytes of a file come from: the store, or upstream, and then into the store where the policy keeps them.
 */
import { createHash } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { IndexedPackage, IndexedRepository, IndexReader } from '../catalog/index-reader.js'
import { StoreError } from '../errors.js'
import { isPrivateHost } from '../http/address.js'
import type { Body } from '../http/body.js'
import type { DownloadSettings } from '../http/download.js'
import { Origins } from '../http/origins.js'
import { downloadSettings, type RequestOptions } from '../http/settings.js'
import type { Store, StoredFile } from '../store/store.js'
import { fileKey } from './documents/page.js'
import { Downloads, type DownloadsOptions, type Joined, type WantedFile } from './downloads.js'
import { FileRecords } from './file-records.js'
import type { Metrics } from './metrics.js'
import { MAX_METADATA_BYTES, readWheelMetadata } from './wheel-metadata.js'

export const POLICIES = ['on-demand', 'immediate', 'streamed'] as const
export type Policy = (typeof POLICIES)[number]

export interface FileSourceOptions
  extends Omit<RequestOptions, 'dispatcher'>,
    Omit<DownloadsOptions, 'onBytes' | 'onJoin'> {
  readonly dispatcher?: Dispatcher | ((allowPrivate: boolean) => Dispatcher) | undefined
  readonly reader: IndexReader
  readonly store: Store
  readonly metrics: Pick<Metrics, 'file' | 'fetched'>
  /** In place of that of a repository's last sync. */
  readonly policy?: Policy | undefined
}

/** What there is to send: bytes, a file of the store, or a download; `elsewhere` where it was not to be fetched. */
export type Found =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'stored'; readonly file: StoredFile }
  | { readonly kind: 'elsewhere' }
  | Joined

export class FileSource {
  readonly downloads: Downloads
  readonly #reader: IndexReader
  readonly #store: Store
  readonly #policy: Policy | undefined
  readonly #requests: Omit<RequestOptions, 'dispatcher'>
  readonly #dispatcher: FileSourceOptions['dispatcher']
  readonly #records: FileRecords
  readonly #metrics: Pick<Metrics, 'file' | 'fetched'>
  readonly #log: (line: string) => void

  constructor({
    reader,
    store,
    metrics,
    policy,
    dispatcher,
    coolDownMs,
    log,
    ...requests
  }: FileSourceOptions) {
    this.#reader = reader
    this.#store = store
    this.#policy = policy
    this.#dispatcher = dispatcher
    this.#requests = {
      ...requests,
      origins: requests.origins instanceof Origins ? requests.origins : new Origins(requests.origins),
      digest: 'sha256',
      directory: store.temporaryDirectory,
      // All of it lies in a file, which readers follow.
      maxMemoryBytes: 0,
      // What has no digest must not change on its way either.
      headers: { 'accept-encoding': 'identity', ...requests.headers }
    }
    this.#metrics = metrics
    this.#log = log
    this.#records = new FileRecords(reader, log)
    this.downloads = new Downloads({
      ...{ coolDownMs, log },
      onBytes: bytes => metrics.fetched(bytes),
      onJoin: shared => metrics.file(shared ? 'shared' : 'upstream')
    })
  }

  /** Ends downloads, and resolves when all is written down. */
  async close(): Promise<void> {
    await this.downloads.close()
    await this.#records.flush()
  }

  /** Finds the file of a package. With `fetch`, a download that the caller has joined may be the answer. */
  async find(repository: IndexedRepository, pkg: IndexedPackage, fetch: boolean): Promise<Found> {
    const { url, size, digests, id } = pkg
    return await this.#find(
      async () => {
        const file = await this.#stored(pkg)
        return file && { kind: 'stored', file }
      },
      fetch &&
        (async () => {
          const { settings, keep } = await this.#upstream(repository)
          return {
            ...{ key: keyOf(repository, pkg), url, size, digests, settings },
            keep: keep ? body => this.#keep(body, url, id) : undefined
          }
        })
    )
  }

  /** The same for the METADATA of a package that is said to have one beside it. */
  async findMetadata(repository: IndexedRepository, pkg: IndexedPackage, fetch: boolean): Promise<Found> {
    const digests = typeof pkg.coreMetadata === 'object' ? pkg.coreMetadata : {}
    const { sha256 } = digests
    return await this.#find(
      async () => {
        const size = sha256 === undefined ? undefined : await this.#store.size(sha256)
        if (sha256 !== undefined && size !== undefined) return { kind: 'stored', file: { sha256, size } }
        const wheel = await this.#stored(pkg)
        const bytes = wheel && (await readWheelMetadata(this.#store, wheel, pkg.project))
        // What the index promised is what installers will check.
        const right = bytes !== undefined && (sha256 === undefined || sha256Of(bytes) === sha256)
        return right ? { kind: 'bytes', bytes } : undefined
      },
      fetch &&
        (async () => {
          const { settings, keep } = await this.#upstream(repository)
          const url = new URL(pkg.url)
          url.pathname += '.metadata'
          return {
            ...{ key: `${keyOf(repository, pkg)} metadata`, url: url.href, digests },
            settings: { ...settings, maxBodyBytes: MAX_METADATA_BYTES },
            // Without a digest nobody would find it again.
            keep: keep && sha256 !== undefined ? body => this.#keep(body, url.href) : undefined
          }
        })
    )
  }

  async #find(
    atHand: () => Promise<Found | undefined>,
    wanted: false | (() => Promise<WantedFile>)
  ): Promise<Found> {
    let found = await atHand()
    if (found === undefined && wanted !== false) {
      const file = await wanted()
      while (true) {
        const { finished } = this.downloads
        found = await atHand()
        if (found !== undefined) break
        // A download that came to its end since may have brought it after we looked.
        if (this.downloads.has(file.key) || this.downloads.finished === finished)
          return this.downloads.join(file)
      }
    }
    if (found !== undefined && wanted !== false) this.#metrics.file('store')
    return found ?? { kind: 'elsewhere' }
  }

  async #stored({ id, file, size, digests }: IndexedPackage): Promise<StoredFile | undefined> {
    const sha256 = file ?? digests.sha256
    const found = sha256 === undefined ? undefined : await this.#store.size(sha256)
    if (sha256 === undefined || found === undefined) return undefined
    // Of another size it was damaged from outside, and is fetched anew.
    if (size !== undefined && size !== found) return undefined
    if (file === undefined) this.#records.add({ sha256, size: found, package: id })
    return { sha256, size: found }
  }

  /** How files of a repository are fetched: as its last sync did it. */
  async #upstream({ id }: IndexedRepository): Promise<{ settings: DownloadSettings; keep: boolean }> {
    const { policy, indexUrl } = await this.#reader.lastSync(id)
    // Files of an index on the internet are not fetched from addresses that only we can reach.
    const { allowPrivate = isPrivateHost(hostOf(indexUrl)) } = this.#requests
    const given = this.#dispatcher
    const dispatcher = typeof given === 'function' ? given(allowPrivate) : given
    return {
      settings: downloadSettings({ ...this.#requests, dispatcher, allowPrivate }),
      keep: (this.#policy ?? policy) !== 'streamed'
    }
  }

  /** Puts a body into the store. Where that fails, clients have their bytes all the same. */
  async #keep(body: Body, url: string, id?: number): Promise<void> {
    try {
      const { sha256, size } = await this.#store.put(body, { url })
      this.#records.add({ sha256, size, package: id })
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.#log(`${error.message} [${error.code}]`)
    }
  }
}

/** Rows of one repository may tell of other URLs and rights than those of another. */
function keyOf({ id }: IndexedRepository, pkg: IndexedPackage): string {
  return `${id} ${fileKey(pkg)}`
}

/** The host of a URL, or nothing. */
function hostOf(url = ''): string {
  return URL.canParse(url) ? new URL(url).hostname : ''
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
