/**
 * Where files lie. A file is named by its sha256 and nothing else, so that no name from outside ever becomes
 * part of a path, and the same content is kept once.
 */
import type { Readable } from 'node:stream'
import type { Body } from '../http/body.js'

/** A file that the store holds. */
export interface StoredFile {
  /** Lower-case hex. */
  readonly sha256: string
  /** Bytes. */
  readonly size: number
}

/** A file as {@link Store.list} gives it. */
export interface ListedFile extends StoredFile {
  /** When it was written, in ms since 1970. */
  readonly writtenMs: number
}

/** What {@link Store.put} did. */
export interface PutFile extends StoredFile {
  /** Whether the store had it already. */
  readonly reused: boolean
}

/** What a file must be, and what to call it in an error. */
export interface PutOptions {
  readonly sha256?: string | undefined
  /** @defaultValue the body's sha256 */
  readonly url?: string | undefined
}

/** How long a URL leads to a file. A download that has begun may take longer. */
export const PRESIGNED_SECONDS = 3600

export interface Store {
  /** A folder for what is fetched: on the store's own file system, if it has one, so that it is taken over without a copy. */
  readonly temporaryDirectory: string
  /** Files that it is best given at once. */
  readonly concurrency: number
  /**
   * Keeps a body, whose temporary file it takes over. When it resolves the file survives a loss of power.
   * @throws {@link DigestError} when the body is not what it must be, {@link StoreError} when it cannot be kept
   */
  put(body: Body, options?: PutOptions): Promise<PutFile>
  /** Bytes of a file; `undefined` when it is not there. */
  size(sha256: string): Promise<number | undefined>
  /**
   * The bytes of a file, from `start` to `end`, both included, in pieces of `highWaterMark`. Fails with the code
   * `ENOENT` where it is not there.
   */
  createReadStream(
    sha256: string,
    options?: { readonly start?: number; readonly end?: number; readonly highWaterMark?: number }
  ): Readable
  /** Removes a file; one that is not there is no error. */
  delete(sha256: string): Promise<void>
  /** All files, in no order. */
  list(): AsyncIterable<ListedFile>
  /** The path of a file. Only of a store in a folder. */
  readonly pathOf?: ((sha256: string) => string) | undefined
  /**
   * A URL at which whoever has it can read a file for {@link PRESIGNED_SECONDS}, under the name `filename`. Only of a
   * store that answers requests by itself.
   */
  readonly presign?: ((sha256: string, filename: string) => Promise<string>) | undefined
  /** Names of what processes that are no longer alive left half-written. */
  leftovers(): AsyncIterable<string>
  /** Removes that. Returns how much it was. */
  clean(): Promise<number>
}
