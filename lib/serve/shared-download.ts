/**
 * One download that any number of clients read while it comes in.
 *
 * The bytes go to a temporary file, and each reader follows that at its own pace, so that a slow one takes no memory.
 * The last 64 KiB are held back until the whole is there and is what it should be: a client never has a whole file that
 * is wrong, and of a small one it has not even the beginning.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { DigestError, SizeError } from '../errors.js'
import type { Body } from '../http/body.js'
import { type Downloadable, type DownloadSettings, download } from '../http/download.js'
import { redactUrl } from '../http/redact.js'

/** Bytes that no reader gets before the whole is checked. */
const HELD_BACK = 64 * 1024

const READ_BYTES = 64 * 1024

/** A temporary file, and up to which byte its successor has not replaced it. */
interface Segment {
  readonly path: string
  readonly handle: FileHandle
  end: number
}

export interface SharedDownloadOptions {
  readonly settings: DownloadSettings
  /** Whether to go on when nobody reads any more. */
  readonly keep: boolean
  /** Takes the checked body, before its last bytes go out; what it leaves of it is removed. */
  readonly onBody: (body: Body) => Promise<void>
  /** Told once, when nobody may join any more. */
  readonly onEnd: () => void
  /** Bytes that came over the network. */
  readonly onBytes: (bytes: number) => void
}

export class SharedDownload {
  /** Resolves when there are bytes to send, rejects when there will be none. */
  readonly ready: Promise<void>
  /** Resolves when the whole is there and checked. */
  readonly whole: Promise<void>
  readonly #item: Downloadable
  readonly #options: SharedDownloadOptions
  readonly #controller = new AbortController()
  readonly #segments: Segment[] = []
  #opening: Promise<void> = Promise.resolve()
  /** Path of the newest temporary file, open or about to be. */
  #path: string | undefined
  #released = 0
  #size: number | undefined
  #state: 'running' | 'checked' | Error = 'running'
  /** Those that read, and the download itself. */
  #users = 1
  #wake: () => void = () => {}
  #changed: Promise<void> = Promise.resolve()

  constructor(item: Downloadable, options: SharedDownloadOptions) {
    this.#item = item
    this.#options = options
    this.#size = item.size
    this.#renew()
    this.whole = this.#run()
    this.ready = this.#firstBytes()
    // Both are told to whoever waits, and the failure of one that nobody waits for is told by `whole`'s owner.
    this.ready.catch(() => {})
    this.whole.catch(() => {})
  }

  /** Bytes of the whole; `undefined` where nobody has told yet. Known for certain once it is whole. */
  get size(): number | undefined {
    return this.#size
  }

  /** Must be called by whoever is about to read, and {@link leave} when they are done, however that came. */
  join(): void {
    this.#users++
  }

  /** The last one to leave closes the files, and ends a download that nobody else would have any use for. */
  leave(): void {
    this.#users--
    if (this.#users === 1 && this.#state === 'running' && !this.#options.keep) this.abort()
    if (this.#users === 0) for (const { handle } of this.#segments) handle.close().catch(() => {})
  }

  /** Ends it, whoever reads. */
  abort(): void {
    this.#options.onEnd()
    this.#controller.abort()
  }

  /** The bytes as they come, from `start` to `end`, both included. */
  createReadStream({ start = 0, end = Number.POSITIVE_INFINITY } = {}): Readable {
    let position = start
    const read = async (stream: Readable): Promise<void> => {
      while (true) {
        const limit = Math.min(this.#released, end + 1)
        if (position < limit) {
          const chunk = await this.#read(position, Math.min(READ_BYTES, limit - position))
          position += chunk.length
          stream.push(chunk)
          return
        }
        if (this.#state instanceof Error) throw this.#state
        if (position > end || this.#state === 'checked') {
          stream.push(null)
          return
        }
        await this.#changed
      }
    }
    return new Readable({
      highWaterMark: READ_BYTES,
      read() {
        read(this).catch(error => this.destroy(error))
      }
    })
  }

  async #run(): Promise<void> {
    try {
      const { body } = await download(this.#item, this.#options.settings, this.#controller.signal, {
        onBytes: this.#options.onBytes,
        // Nobody has been told of an earlier one before there were bytes to send.
        onLength: length => {
          if (this.#item.size === undefined && this.#released === 0) this.#size = length
        },
        onSpooled: (path, bytes) => this.#spooled(path, bytes)
      })
      try {
        await this.#opening
        /* c8 ignore next -- only where no handle was left for it before */
        if (this.#segments.at(-1)?.path !== body.path) await this.#open(String(body.path))
        await this.#check(body)
        await this.#options.onBody(body)
      } finally {
        await body.discard()
      }
      this.#size = body.size
      this.#released = body.size
      this.#state = 'checked'
    } catch (error) {
      this.#state = error as Error
      throw error
    } finally {
      this.#options.onEnd()
      // What is open only after everybody left would stay open.
      await this.#opening
      this.#renew()
      this.leave()
    }
  }

  async #firstBytes(): Promise<void> {
    while (this.#state === 'running' && this.#released === 0) await this.#changed
    if (this.#state instanceof Error) throw this.#state
  }

  #spooled(path: string, bytes: number): void {
    if (path !== this.#path) {
      this.#path = path
      // One that is gone before it is open has given nothing to anybody.
      this.#opening = this.#open(path).catch(() => {})
    }
    this.#opening = this.#opening.then(() => {
      const last = this.#segments.at(-1)
      if (last?.path !== path || bytes - HELD_BACK <= this.#released) return
      this.#released = bytes - HELD_BACK
      last.end = this.#released
      this.#renew()
    })
  }

  async #open(path: string): Promise<void> {
    this.#segments.push({ path, handle: await open(path, 'r'), end: this.#released })
  }

  /** Wakes all that wait for a change, and lets them wait for the next. */
  #renew(): void {
    this.#wake()
    this.#changed = new Promise(resolve => {
      this.#wake = resolve
    })
  }

  /**
   * A body that had to come again from its beginning is checked as a whole, but what readers have is the beginning of
   * the first one.
   */
  async #check(body: Body): Promise<void> {
    const url = redactUrl(this.#item.url)
    if (this.#size !== undefined && body.size !== this.#size) throw new SizeError(url, this.#size, body.size)
    const last = this.#segments.at(-1)
    if (last !== undefined) last.end = body.size
    if (this.#segments.length < 2 || this.#released === 0) return
    const hash = createHash('sha256')
    for (let position = 0; position < body.size; ) {
      const chunk = await this.#read(position, Math.min(READ_BYTES, body.size - position))
      hash.update(chunk)
      position += chunk.length
    }
    const found = hash.digest('hex')
    const expected = String(body.digests.sha256)
    if (found !== expected) throw new DigestError(url, 'sha256', expected, found)
  }

  async #read(position: number, length: number): Promise<Buffer> {
    const { handle, end } = this.#segments.find(segment => position < segment.end) as Segment
    const { bytesRead, buffer } = await handle.read({
      buffer: Buffer.allocUnsafe(Math.min(length, end - position)),
      position
    })
    // Else a reader would wait for ever.
    if (bytesRead === 0) throw new SizeError(redactUrl(this.#item.url), end, position)
    return buffer.subarray(0, bytesRead)
  }
}
