/**
 * Undoes the Content-Encoding of a body on its way into the spool, and watches its pace.
 */
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import { EncodingError, TimeoutError } from '../errors.js'
import type { Sink } from './exchange.js'
import type { Spool } from './spool.js'

interface Coding {
  readonly whole: (data: Buffer, options: { maxOutputLength: number }) => Buffer
  readonly stream: (options: { chunkSize: number }) => Transform
}

const gzip: Coding = { whole: zlib.gunzipSync, stream: zlib.createGunzip }

/** Content codings (RFC 9110, section 8.4.1) that can be undone. */
const CODINGS: ReadonlyMap<string, Coding> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', { whole: zlib.inflateSync, stream: zlib.createInflate }],
  ['br', { whole: zlib.brotliDecompressSync, stream: zlib.createBrotliDecompress }]
])

/** What is asked for in `Accept-Encoding`. */
export const ACCEPTED_ENCODINGS = 'gzip, br, deflate'

/**
 * A coded body up to the first size is decoded in one call, if it grows no larger than the second: that takes a few
 * ms at most, and half of what the thread pool's detour costs. A larger one is decoded as a stream, in the pool.
 */
const WHOLE_CODED_BYTES = 32 * 1024
const WHOLE_BYTES = 1024 * 1024

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
  readonly maxMemoryBytes: number
  readonly minBytesPerSecond: number
  /** When the body must be there, as `performance.now()` counts. */
  readonly deadline: number
  /** Called with the bytes of each chunk as it came over the network. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

export class BodySink implements Sink {
  readonly #spool: Spool
  readonly #options: BodySinkOptions
  readonly #coding: Coding | undefined
  /** Coded chunks, until they are too many for one call. */
  #coded: Buffer[] = []
  #codedBytes = 0
  #decoder: Transform | undefined
  #decoded: Promise<void> | undefined
  /** Ends the wait of {@link drained}. */
  #wake: { resolve: () => void; reject: (error: unknown) => void } | undefined
  #destroyed = false
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
    this.#coded.push(chunk)
    return this.#codedBytes <= WHOLE_CODED_BYTES || this.#startDecoder(this.#coding)
  }

  async drained(): Promise<void> {
    if (this.#decoder === undefined) return this.#spool.flushed()
    // The decoder may have failed or come to an end before anybody waited, and then drains no more.
    if (this.#decoder.destroyed) return this.#decoded
    await new Promise<void>((resolve, reject) => {
      this.#wake = { resolve, reject }
    })
  }

  end(): Promise<void> | undefined {
    // A server may name a coding and send nothing.
    if (this.#coding === undefined || this.#codedBytes === 0) return undefined
    if (this.#decoder === undefined) {
      if (this.#decodeWhole(this.#coding)) return undefined
      this.#startDecoder(this.#coding)
    }
    this.#decoder?.end()
    return this.#decoded
  }

  /** Nothing is written into the spool from then on. */
  destroy(): void {
    this.#destroyed = true
    this.#coded = []
    this.#decoder?.destroy()
  }

  /** `false` where the body grows too large for one call. */
  #decodeWhole(coding: Coding): boolean {
    const { maxMemoryBytes, url, encoding } = this.#options
    const maxOutputLength = Math.max(1, Math.min(maxMemoryBytes, WHOLE_BYTES))
    let data: Buffer
    try {
      data = coding.whole(Buffer.concat(this.#coded), { maxOutputLength })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return false
      throw new EncodingError(url, String(encoding), error)
    }
    this.#spool.write(data)
    return true
  }

  /** Decodes from here on as a stream, what was collected first. Returns what `write` returns. */
  #startDecoder(coding: Coding): boolean {
    const decoder = coding.stream({ chunkSize: 64 * 1024 })
    this.#decoder = decoder
    decoder.on('drain', () => this.#wake?.resolve())
    this.#decoded = this.#consume(decoder)
    // Awaited in `end`; a failure before that must not count as unhandled.
    this.#decoded.then(
      () => this.#wake?.resolve(),
      error => this.#wake?.reject(error)
    )
    let more = true
    for (const chunk of this.#coded) more = decoder.write(chunk)
    this.#coded = []
    return more
  }

  async #consume(decoder: Transform): Promise<void> {
    const { url, encoding } = this.#options
    try {
      for await (const chunk of decoder) {
        if (this.#destroyed) return
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
    const { url, minBytesPerSecond, deadline } = this.#options
    const now = performance.now()
    if (now > deadline) throw new TimeoutError(url, 'the body was not complete at the deadline')
    this.#windowBytes += bytes
    const elapsedMs = now - this.#windowStart
    if (elapsedMs < PACE_WINDOW_MS) return
    const pace = (this.#windowBytes * 1000) / elapsedMs
    if (pace < minBytesPerSecond) {
      throw new TimeoutError(
        url,
        `${Math.round(pace)} bytes a second, where ${minBytesPerSecond} are the least`
      )
    }
    this.#windowStart = now
    this.#windowBytes = 0
  }
}
