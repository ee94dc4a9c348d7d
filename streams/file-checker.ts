/**
 * Reads files of a store, and compares them with what is known of them.
 *
 * in     `StoredFile`
 * out    the same files, with what is wrong with each, in the order in which they were read
 * holds  at most `highWaterMark` unstarted, `concurrency` being read, each with two pieces of 1 MiB in memory, and
 *        `concurrency + highWaterMark - 1` being read or unread together
 * fails  with a `StoreError` when the store is not to be reached; a file that cannot be read is one with which something
 *        is wrong
 *
 * Emits `'checked'` (the file) for each.
 */
import { createHash } from 'node:crypto'
import type { CheckedFile } from '../lib/catalog/verification.js'
import { StoreError } from '../lib/errors.js'
import type { Store, StoredFile } from '../lib/store/store.js'
import { ConcurrentTransform, type ConcurrentTransformOptions } from './concurrent-transform.js'

export interface FileCheckerOptions extends ConcurrentTransformOptions {
  readonly store: Store
  /** Files read at once. @defaultValue 4, as many as Node has threads to read with */
  readonly concurrency?: number | undefined
}

/** Bytes that are asked of the disk at once: with Node's 64 KiB half the time goes into the asking. */
const PIECE_BYTES = 1024 * 1024

export class FileChecker extends ConcurrentTransform<StoredFile, CheckedFile> {
  readonly #store: Store

  constructor({ store, concurrency = 4, ...options }: FileCheckerOptions) {
    super({ ...options, concurrency })
    this.#store = store
  }

  protected override async _call(file: StoredFile, signal: AbortSignal): Promise<CheckedFile | undefined> {
    const checked = await this.#check(file, signal)
    if (signal.aborted) return undefined
    this.emit('checked', checked)
    return checked
  }

  async #check(file: StoredFile, signal: AbortSignal): Promise<CheckedFile> {
    const { sha256, size } = file
    const hash = createHash('sha256')
    let read = 0
    try {
      // A small file is to be there at once, and its end with it.
      const highWaterMark = Math.min(PIECE_BYTES, size + 1)
      for await (const piece of this.#store.createReadStream(sha256, { highWaterMark })) {
        if (signal.aborted) break
        hash.update(piece)
        read += piece.length
      }
    } catch (error) {
      // That no file can be read is wrong with none of them.
      if (error instanceof StoreError) throw error
      const { code, message } = error as NodeJS.ErrnoException
      const wrong = { kind: 'missing', message: 'it is not in the store' } as const
      return { ...file, read, wrong: code === 'ENOENT' ? wrong : { kind: 'unreadable', message } }
    }
    const found = hash.digest('hex')
    if (found !== sha256) {
      const message = `its ${read} bytes in the store have the sha256 ${found}, and ${size} bytes were kept`
      return { ...file, read, wrong: { kind: 'damaged', message } }
    }
    if (read === size) return { ...file, read }
    // The digest is what it is known by: the row is what is wrong.
    return {
      ...file,
      read,
      wrong: { kind: 'wrong-size', message: `it has ${read} bytes, and the catalog says ${size}` }
    }
  }
}
