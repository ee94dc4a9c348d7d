/**
 * Undoes the Content-Encoding of a body on its way into the spool, and watches its pace.
 */
import { once } from 'node:events'
import type { Transform } from 'node:stream'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { EncodingError, TimeoutError } from '../errors.js'
import type { Sink } from './exchange.js'
import type { Spool } from './spool.js'

interface Coding {
  readonly whole: (data: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
  readonly stream: () => Transform
}

const gzip: Coding = { whole: promisify(zlib.gunzip), stream: zlib.createGunzip }

/** Content codings (RFC 9110, section 8.4.1) that can be undone. */
const CODINGS: ReadonlyMap<string, Coding> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', { whole: promisify(zlib.inflate), stream: zlib.createInflate }],
  ['br', { whole: promisify(zlib.brotliDecompress), stream: zlib.createBrotliDecompress }]
])

/** What is asked for in `Accept-Encoding`. */
export const ACCEPTED_ENCODINGS = 'gzip, br, deflate'

/** Bytes that a coded body may grow to whatever its ratio, and the ratio beyond: index pages stay below 50. */
const ALWAYS_ALLOWED_BYTES = 64 * 1024 * 1024
const MAX_RATIO = 200

/** The pace is looked at once in so many ms. */
const PACE_WINDOW_MS = 30_000

export interface BodySinkOptions {
  /** For errors; without credentials. */
  readonly url: string
  /** The Content-Encoding header, where it is to be undone. */
  readonly encoding?: string | undefined
  /** Up to here a coded body is decoded in one call, which costs less than a stream. */
  readonly maxMemoryBytes: number
  readonly minBytesPerSecond: number
  /** Called with the bytes of each chunk as it came over the network. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

export class BodySink implements Sink {
  readonly #spool: Spool
  readonly #options: BodySinkOptions
  readonly #coding: Coding | undefined
  /** Coded chunks, until they are too many for one call. */
  #coded: Buffer[] | undefined
  #codedBytes = 0
  #decoder: Transform | undefined
  #decoded: Promise<void> | undefined
  #windowStart = performance.now()
  #windowBytes = 0

  /** @throws {@link EncodingError} for a coding that is not known */
  constructor(spool: Spool, options: BodySinkOptions) {
    this.#spool = spool
    this.#options = options
    const encoding = options.encoding?.trim().toLowerCase()
    if (encoding === undefined || encoding === '' || encoding === 'identity') return
    this.#coding = CODINGS.get(encoding)
    if (this.#coding === undefined) throw new EncodingError(options.url, encoding)
    this.#coded = []
  }

  write(chunk: Buffer): boolean {
    this.#options.onBytes?.(chunk.length)
    this.#checkPace(chunk.length)
    if (this.#coding === undefined) {
      this.#spool.write(chunk)
      return !this.#spool.full
    }
    this.#codedBytes += chunk.length
    if (this.#decoder !== undefined) return this.#decoder.write(chunk)
    this.#coded?.push(chunk)
    return this.#codedBytes <= this.#options.maxMemoryBytes || this.#startDecoder(this.#coding)
  }

  async drained(): Promise<void> {
    if (this.#decoder === undefined) await this.#spool.flushed()
    else await Promise.race([once(this.#decoder, 'drain'), this.#decoded])
  }

  async end(): Promise<void> {
    if (this.#coding === undefined) return
    if (this.#decoder === undefined && !(await this.#decodeWhole(this.#coding)))
      this.#startDecoder(this.#coding)
    this.#decoder?.end()
    await this.#decoded
  }

  /** Decodes a small body in the thread pool; `false` where it grows too large for memory. */
  async #decodeWhole(coding: Coding): Promise<boolean> {
    const { maxMemoryBytes, url, encoding } = this.#options
    try {
      const data = await coding.whole(Buffer.concat(this.#coded ?? []), { maxOutputLength: maxMemoryBytes })
      this.#spool.write(data)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return false
      throw new EncodingError(url, String(encoding), error)
    }
  }

  /** Decodes from here on as a stream, what was collected first. Returns what `write` returns. */
  #startDecoder(coding: Coding): boolean {
    const decoder = coding.stream()
    this.#decoder = decoder
    this.#decoded = this.#consume(decoder)
    // Awaited in `drained` and `end`; a failure in between must not count as unhandled.
    this.#decoded.catch(() => undefined)
    let more = true
    for (const chunk of this.#coded ?? []) more = decoder.write(chunk)
    this.#coded = undefined
    return more
  }

  async #consume(decoder: Transform): Promise<void> {
    const { url, encoding } = this.#options
    try {
      for await (const chunk of decoder) {
        this.#spool.write(chunk)
        const { received } = this.#spool
        if (received > ALWAYS_ALLOWED_BYTES && received > MAX_RATIO * this.#codedBytes) {
          throw new EncodingError(url, `${encoding}: it grows more than ${MAX_RATIO}-fold`)
        }
        if (this.#spool.full) await this.#spool.flushed()
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw code?.startsWith('ERR_MILLRACE_') ? error : new EncodingError(url, String(encoding), error)
    }
  }

  /** A body may pause for as long as `bodyTimeout`, yet come too slowly on the whole. */
  #checkPace(bytes: number): void {
    this.#windowBytes += bytes
    const elapsedMs = performance.now() - this.#windowStart
    if (elapsedMs < PACE_WINDOW_MS) return
    const { url, minBytesPerSecond } = this.#options
    const pace = (this.#windowBytes * 1000) / elapsedMs
    if (pace < minBytesPerSecond) {
      throw new TimeoutError(
        url,
        `${Math.round(pace)} bytes a second, where ${minBytesPerSecond} are the least`
      )
    }
    this.#windowStart += elapsedMs
    this.#windowBytes = 0
  }
}
