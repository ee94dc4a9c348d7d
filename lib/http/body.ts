/**
 * The body of an answer, complete and checked: small ones in memory, large ones in a temporary file.
 */
import { createReadStream } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Digests } from '../pypi/package.js'

export class Body {
  /** Bytes, after the Content-Encoding was undone. */
  readonly size: number
  /** Those that were computed while the bytes passed, in lower-case hex. */
  readonly digests: Digests
  readonly #data: Buffer | undefined
  #path: string | undefined

  constructor(content: Buffer | { readonly path: string; readonly size: number }, digests: Digests = {}) {
    this.digests = digests
    if (Buffer.isBuffer(content)) {
      this.size = content.length
      this.#data = content
    } else {
      this.size = content.size
      this.#path = content.path
    }
  }

  /** The bytes of a small body; `undefined` where they lie in a file. */
  get data(): Buffer | undefined {
    return this.#data
  }

  /** The temporary file of a large body; `undefined` for a small one, and once taken or discarded. */
  get path(): string | undefined {
    return this.#path
  }

  /** All bytes at once. @throws the system's error when the temporary file is gone */
  async buffer(): Promise<Buffer> {
    return this.#data ?? (await readFile(this.#file()))
  }

  /** The bytes as a stream of buffers. */
  stream(): Readable {
    // In an array: an iterable buffer would be taken apart byte by byte.
    if (this.#data !== undefined) return Readable.from([this.#data], { objectMode: false })
    return createReadStream(this.#file())
  }

  /** Hands the temporary file over to the caller, who moves or removes it; `undefined` for a small body. */
  take(): string | undefined {
    const path = this.#path
    this.#path = undefined
    return path
  }

  /** Removes the temporary file. May be called more than once. */
  async discard(): Promise<void> {
    const path = this.take()
    if (path !== undefined) await rm(path, { force: true })
  }

  #file(): string {
    if (this.#path !== undefined) return this.#path
    throw new Error('The body was discarded or taken')
  }
}

/** What a download gives: the item it was for, and the answer. */
export interface Downloaded<T> {
  readonly item: T
  /** Where the body came from, after redirects. */
  readonly url: string
  /** Status of the last answer; 0 when nothing was fetched. */
  readonly status: number
  /** Headers of the last answer, names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Body
  /** Requests made, the first and all retries; 0 when the item needed none and passed by. */
  readonly attempts: number
}
