/**
 * Reads the documents of projects and gives the packages that they list, one at a time, however long a document is.
 *
 * in     `Downloaded<Project>`: PEP 691 JSON, the legacy JSON document or PEP 503 HTML, told apart by what is in them
 * out    `Package`, in the document's order; none for a document that did not change (304, or a known digest)
 *        and none of a quarantined project
 * holds  one document at a time, at most one more waiting: up to `limits.wholeBytes` of it, and what that makes, or of
 *        a longer one 256 KiB, an entry and what 16 KiB make; besides at most `highWaterMark` packages unread
 * fails  never by itself: a document that cannot be read, and an entry that cannot be used, are each a `'skip'`. The
 *        stream is destroyed where nobody listens to that, or where a temporary file cannot be read
 *
 * Emits `'project'` once for each document that was read, after its last package was pushed.
 */
import { createHash, hash } from 'node:crypto'
import { addAbortSignal, Transform, type TransformCallback } from 'node:stream'
import { MillraceError, RecordError, TemporaryFileError } from '../lib/errors.js'
import type { Body, Downloaded } from '../lib/http/body.js'
import { settledLastModified } from '../lib/http/last-modified.js'
import { redactUrl } from '../lib/http/redact.js'
import { integer } from '../lib/options.js'
import { type About, serialOf, textOf } from '../lib/pypi/documents/format.js'
import { type DocumentLimits, documentLimits, type GivenLimits } from '../lib/pypi/documents/limits.js'
import { type DocumentInput, type ReadItem, readLong, readWhole } from '../lib/pypi/documents/read.js'
import { beginningOf, piecesOf } from '../lib/pypi/documents/text.js'
import type { Project, ProjectStatus } from '../lib/pypi/package.js'
import { skip } from './skip.js'

export interface MetadataParserOptions {
  /** Packages buffered for the reader. Whole number of 1 or more. @defaultValue 16 (Node's, for objects) */
  readonly highWaterMark?: number | undefined
  /** What one document may ask of this process. */
  readonly limits?: GivenLimits | undefined
  /** Destroys the stream when aborted. */
  readonly signal?: AbortSignal | undefined
}

/** What `'project'` tells of a document, after its last package. */
export interface ProjectDocument {
  /** Normalised name (PEP 503). */
  readonly project: string
  /** The name as published: the document's, or where that is the normalised one, as listed. */
  readonly name: string
  /** Packages that were pushed. */
  readonly packages: number
  /** Entries, or parts of them, that could not be used; each was a `'skip'`. */
  readonly skipped: number
  /** Whether the document is the one that was read before, so that nothing was pushed. */
  readonly unchanged: boolean
  /** Where the document came from, after redirects. */
  readonly url: string
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** Serial number of the project on warehouse. */
  readonly serial: number | undefined
  /** The serial that it was listed with: the document may be older than that, or newer. */
  readonly listedSerial: number | undefined
  /** SHA-256 of the document; of a 304 that of the item, where it has one. */
  readonly digest: string | undefined
  readonly status: ProjectStatus | undefined
  readonly statusReason: string | undefined
}

/** Bytes after which others get their turn before the next document. */
const TURN_BYTES = 256 * 1024

export class MetadataParser extends Transform {
  readonly #limits: DocumentLimits
  /** True from a push that filled the reader's buffer until Node asks for more. */
  #full = false
  /** Goes on when it does. */
  #wake: (() => void) | undefined
  /** The document that is being read piece by piece. */
  #running: Promise<void> | undefined
  #bytes = 0

  constructor({ highWaterMark = 16, limits, signal }: MetadataParserOptions = {}) {
    integer('highWaterMark', highWaterMark, 1)
    const checked = documentLimits(limits)
    super({
      objectMode: true,
      readableHighWaterMark: highWaterMark,
      // A document that waits here would be memory, or a temporary file, that the downloader no longer counts.
      writableHighWaterMark: 1
    })
    this.#limits = checked
    // Not by the option: a signal that is aborted already would call `_destroy` before there are private fields.
    if (signal !== undefined) addAbortSignal(signal, this)
  }

  override _transform(
    downloaded: Downloaded<Project>,
    _encoding: BufferEncoding,
    callback: TransformCallback
  ): void {
    const reading = new Reading(downloaded)
    const { body, status, item } = downloaded
    try {
      if (body.data !== undefined && status !== 304) {
        reading.digest ??= hash('sha256', body.data)
        // Most documents come this way, without a promise for any of them.
        const document = reading.isUnchanged ? NOTHING : readWhole(body.data, reading.input, this.#limits)
        if (document !== undefined) {
          reading.about = document.about
          reading.items = document.items
          this.#advance(reading, callback)
          return
        }
      }
    } catch (error) {
      this.#refuse(item, error)
      this.#finish(body.size, callback)
      return
    }
    this.#running = this.#readSlowly(reading).then(
      () => this.#finish(body.size, callback),
      error => callback(error as Error)
    )
  }

  override _read(size: number): void {
    this.#full = false
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
    // Transform holds back a callback that comes while the reader's buffer still has the object being read, and would
    // not be asked again: no push follows.
    super._read(size)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#wake?.()
    this.#wake = undefined
    if (this.#running === undefined) callback(error)
    else this.#running.finally(() => callback(error))
  }

  /** Goes on with a document that was read at once. */
  #advance(reading: Reading, callback: TransformCallback): void {
    if (this.destroyed) return
    this.#pushItems(reading)
    if (this.destroyed) return
    if (reading.isThrough) {
      this.#emitProject(reading)
      this.#finish(reading.downloaded.body.size, callback)
    } else this.#wake = () => this.#advance(reading, callback)
  }

  async #readSlowly(reading: Reading): Promise<void> {
    const { body, status, item, url } = reading.downloaded
    try {
      if (status !== 304) {
        reading.digest ??= await sha256Of(body)
        if (!reading.isUnchanged) await this.#readDocument(reading, body)
      }
      if (!this.destroyed) this.#emitProject(reading)
    } catch (error) {
      const isSystemError = error instanceof Error && 'syscall' in error
      this.#refuse(
        item,
        isSystemError ? new TemporaryFileError(redactUrl(url), String(body.path), error) : error
      )
    } finally {
      await body.discard()
    }
  }

  async #readDocument(reading: Reading, body: Body): Promise<void> {
    const { input } = reading
    const whole =
      body.size <= this.#limits.wholeBytes ? readWhole(await body.buffer(), input, this.#limits) : undefined
    const document =
      whole ?? (await readLong(await beginningOf(body), () => piecesOf(body), input, this.#limits))
    reading.about = document.about
    for await (const items of whole === undefined ? document.items : [document.items]) {
      reading.items = items as ReadItem[]
      while (!reading.isThrough && !this.destroyed) {
        if (this.#full) await this.#wanted()
        else this.#pushItems(reading)
      }
      if (this.destroyed) return
    }
  }

  #wanted(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  /** Pushes until all is through, the reader has enough, or a skip ended the stream. */
  #pushItems(reading: Reading): void {
    while (!reading.isThrough) {
      const item = reading.next()
      if (item instanceof RecordError) {
        reading.skipped++
        const { project } = reading.input
        if (!skip(this, { project, filename: item.filename, url: item.url }, item)) return
      } else {
        reading.packages++
        this.#full = !this.push(item)
        if (this.#full) return
      }
    }
  }

  #emitProject({ downloaded, input, about, digest, isUnchanged, packages, skipped }: Reading): void {
    const { headers, item, url } = downloaded
    const document: ProjectDocument = {
      project: item.project,
      // As its packages have it: PyPI's documents tell the normalised name alone.
      name: about.name === undefined || about.name === item.project ? input.name : about.name,
      packages,
      skipped,
      unchanged: isUnchanged,
      url,
      etag: textOf(headers.etag),
      lastModified: settledLastModified(headers),
      serial: about.serial ?? serialOf(Number(headers['x-pypi-last-serial'])),
      listedSerial: item.serial,
      digest,
      status: about.status,
      statusReason: about.statusReason
    }
    this.emit('project', document)
  }

  #refuse(item: Project, error: unknown): void {
    // What is not ours is a defect, not a bad document.
    if (error instanceof MillraceError) skip(this, item, error)
    else this.destroy(error as Error)
  }

  /** Asks for the next document, once the reader wants more and others had their turn. */
  #finish(bytes: number, callback: TransformCallback): void {
    if (this.destroyed) return
    if (this.#full) {
      this.#wake = () => this.#finish(bytes, callback)
      return
    }
    this.#bytes += bytes
    if (this.#bytes < TURN_BYTES) {
      callback()
      return
    }
    this.#bytes = 0
    setImmediate(callback)
  }
}

/** What is known of the document in work. */
class Reading {
  readonly downloaded: Downloaded<Project>
  readonly input: DocumentInput
  about: About = {}
  digest: string | undefined
  packages = 0
  skipped = 0
  #items: readonly ReadItem[] = []
  #index = 0

  constructor(downloaded: Downloaded<Project>) {
    const { body, headers, item, status, url } = downloaded
    this.downloaded = downloaded
    this.digest = status === 304 ? item.digest : body.digests.sha256
    const contentType = textOf(headers['content-type'])
    this.input = { url, contentType, project: item.project, name: item.name }
  }

  get isUnchanged(): boolean {
    const { item, status } = this.downloaded
    return status === 304 || (item.digest !== undefined && item.digest === this.digest)
  }

  set items(items: readonly ReadItem[]) {
    this.#items = items
    this.#index = 0
  }

  get isThrough(): boolean {
    return this.#index >= this.#items.length
  }

  next(): ReadItem {
    return this.#items[this.#index++] as ReadItem
  }
}

const NOTHING = { about: {}, items: [] }

async function sha256Of(body: Body): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of piecesOf(body)) hash.update(piece)
  return hash.digest('hex')
}
