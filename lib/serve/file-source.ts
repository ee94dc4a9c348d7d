/**
 * Where the bytes of a file come from: the store, or upstream, and then into the store where the policy keeps them.
 */
import { createHash } from 'node:crypto'
import type { IndexedPackage, IndexedRepository, IndexReader } from '../catalog/index-reader.js'
import { StoreError } from '../errors.js'
import { isPrivateHost } from '../http/address.js'
import type { Body } from '../http/body.js'
import type { DownloadSettings } from '../http/download.js'
import { Origins } from '../http/origins.js'
import { downloadSettings, type RequestOptions } from '../http/settings.js'
import type { Store, StoredFile } from '../store/store.js'
import { fileKey } from './documents/page.js'
import { Downloads, type DownloadsOptions } from './downloads.js'
import { FileRecords } from './file-records.js'
import { MAX_METADATA_BYTES, readWheelMetadata } from './wheel-metadata.js'

export const POLICIES = ['on-demand', 'immediate', 'streamed'] as const
export type Policy = (typeof POLICIES)[number]

export interface FileSourceOptions extends RequestOptions, DownloadsOptions {
  readonly reader: IndexReader
  readonly store: Store
  /** In place of that of a repository's last sync. */
  readonly policy?: Policy | undefined
}

/** What is to be sent: bytes at hand, a file of the store, or a download to be joined. */
export type Found =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'stored'; readonly file: StoredFile }
  | { readonly kind: 'upstream'; readonly join: () => ReturnType<Downloads['join']> }

export class FileSource {
  readonly downloads: Downloads
  readonly #reader: IndexReader
  readonly #store: Store
  readonly #policy: Policy | undefined
  readonly #requests: RequestOptions
  readonly #records: FileRecords
  readonly #log: (line: string) => void

  constructor({ reader, store, policy, coolDownMs, log, onBytes, ...requests }: FileSourceOptions) {
    this.#reader = reader
    this.#store = store
    this.#policy = policy
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
    this.#log = log
    this.#records = new FileRecords(reader, log)
    this.downloads = new Downloads({ coolDownMs, log, onBytes })
  }

  /** Ends downloads, and resolves when all is written down. */
  async close(): Promise<void> {
    await this.downloads.close()
    await this.#records.flush()
  }

  /** Finds the file of a package. */
  async find(repository: IndexedRepository, pkg: IndexedPackage): Promise<Found> {
    const stored = await this.#stored(pkg)
    if (stored !== undefined) return { kind: 'stored', file: stored }
    const { settings, keep } = await this.#upstream(repository)
    const { url, size, digests, id } = pkg
    const join = () =>
      this.downloads.join({
        ...{ key: keyOf(repository, pkg), url, size, digests, settings },
        keep: keep ? body => this.#keep(body, url, id) : undefined
      })
    return { kind: 'upstream', join }
  }

  /** Finds the METADATA of a package that is said to have one beside it. */
  async findMetadata(repository: IndexedRepository, pkg: IndexedPackage): Promise<Found> {
    const digests = pkg.coreMetadata === true || pkg.coreMetadata === false ? {} : pkg.coreMetadata
    const { sha256 } = digests
    const size = sha256 === undefined ? undefined : await this.#store.size(sha256)
    if (sha256 !== undefined && size !== undefined) return { kind: 'stored', file: { sha256, size } }
    const wheel = await this.#stored(pkg)
    const bytes = wheel && (await readWheelMetadata(this.#store, wheel, pkg.project))
    if (bytes !== undefined && (sha256 === undefined || sha256Of(bytes) === sha256))
      return { kind: 'bytes', bytes }
    const { settings, keep } = await this.#upstream(repository)
    const url = new URL(pkg.url)
    url.pathname += '.metadata'
    const join = () =>
      this.downloads.join({
        ...{ key: `${keyOf(repository, pkg)} metadata`, url: url.href, digests },
        settings: { ...settings, maxBodyBytes: MAX_METADATA_BYTES },
        // Without a digest nobody would find it again.
        keep: keep && sha256 !== undefined ? body => this.#keep(body, url.href) : undefined
      })
    return { kind: 'upstream', join }
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
    const {
      allowPrivate = indexUrl !== undefined &&
        URL.canParse(indexUrl) &&
        isPrivateHost(new URL(indexUrl).hostname)
    } = this.#requests
    return {
      settings: downloadSettings({ ...this.#requests, allowPrivate }),
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

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
