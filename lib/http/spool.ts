/**
 * Takes the bytes of a body as they come: the first `maxMemoryBytes` in memory, a larger body in a temporary
 * file. Digest and size are counted as the bytes pass.
 */
import { createHash, type Hash, hash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { BodyTooLargeError, SizeError, TemporaryFileError } from '../errors.js'
import { Body } from './body.js'

export interface SpoolOptions {
  /** For errors; without credentials. */
  readonly url: string
  /** Digests to compute: name in {@link Body.digests} → `node:crypto`'s. */
  readonly algorithms: ReadonlyMap<string, string>
  readonly maxMemoryBytes: number
  readonly maxBodyBytes: number
  /** What the whole body has, where that is known. */
  readonly size?: number | undefined
  /** Folder for the temporary file; made when it is needed. */
  readonly directory: string
  /** Told how many bytes of the body the temporary file has, when they have become more. */
  readonly onSpooled?: ((path: string, bytes: number) => void) | undefined
}

/** Bytes that may wait for the disk before the source is asked to pause. */
const MAX_QUEUED_BYTES = 1024 * 1024

/** A temporary file's name tells which process wrote it, so that what a dead one left can be found. */
export function temporaryName(): string {
  return `${hostname()}.${process.pid}.${randomBytes(8).toString('hex')}.tmp`
}

export class Spool {
  readonly #options: SpoolOptions
  readonly #hashes = new Map<string, Hash>()
  #chunks: Buffer[] = []
  #queuedBytes = 0
  #received = 0
  /** Bytes in the temporary file. */
  #spooled = 0
  #path: string | undefined
  #handle: FileHandle | undefined
  /** The write under way; there is never more than one, and it takes all chunks that came meanwhile. */
  #writing: Promise<void> | undefined
  #failure: TemporaryFileError | undefined

  constructor(options: SpoolOptions) {
    this.#options = options
  }

  /** Bytes taken so far, a chunk that was too much included. */
  get received(): number {
    return this.#received
  }

  /** Whether so much waits for the disk that the source should pause until {@link flushed}. */
  get full(): boolean {
    return this.#path !== undefined && this.#queuedBytes >= MAX_QUEUED_BYTES
  }

  /** @throws {@link BodyTooLargeError}, {@link SizeError}, {@link TemporaryFileError} of an earlier write */
  write(chunk: Buffer): void {
    if (this.#failure !== undefined) throw this.#failure
    const { url, maxBodyBytes, size } = this.#options
    this.#received += chunk.length
    if (this.#received > maxBodyBytes) throw new BodyTooLargeError(url, maxBodyBytes)
    if (size !== undefined && this.#received > size) throw new SizeError(url, size, this.#received)
    this.#chunks.push(chunk)
    this.#queuedBytes += chunk.length
    if (this.#path !== undefined) {
      for (const hash of this.#hashes.values()) hash.update(chunk)
    } else if (this.#received > this.#options.maxMemoryBytes) {
      this.#path = join(this.#options.directory, temporaryName())
      for (const [name, algorithm] of this.#options.algorithms) {
        const hash = createHash(algorithm)
        for (const held of this.#chunks) hash.update(held)
        this.#hashes.set(name, hash)
      }
    } else {
      return
    }
    this.#writing ??= this.#drain(this.#path)
  }

  /** Resolves when what was taken is on its way to the disk. @throws {@link TemporaryFileError} */
  async flushed(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  /** The whole body; the temporary file is the body's from then on. @throws {@link TemporaryFileError} */
  async finish(): Promise<Body> {
    const digests: Record<string, string> = {}
    if (this.#path === undefined) {
      const data = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
      this.#chunks = []
      for (const [name, algorithm] of this.#options.algorithms) digests[name] = hash(algorithm, data, 'hex')
      return new Body(data, digests)
    }
    await this.flushed()
    const path = this.#path
    try {
      await this.#close()
    } catch (error) {
      throw new TemporaryFileError(this.#options.url, path, error)
    }
    for (const [name, hash] of this.#hashes) digests[name] = hash.digest('hex')
    this.#path = undefined
    return new Body({ path, size: this.#received }, digests)
  }

  /** Forgets all bytes and removes the temporary file. The spool takes no more. */
  async discard(): Promise<void> {
    this.#chunks = []
    await this.#writing
    try {
      await this.#close()
    } catch {
      // Nobody wants the bytes that could not be written.
    }
    if (this.#path === undefined) return
    try {
      await rm(this.#path, { force: true })
    } catch {
      // What went wrong with the download says more than that its file is left; its name tells whose it was.
    }
  }

  async #drain(path: string): Promise<void> {
    try {
      this.#handle ??= await openNew(path)
      while (this.#chunks.length > 0) {
        const chunks = this.#chunks
        this.#chunks = []
        const written = await writeAll(this.#handle, chunks)
        // In one statement, the minuend would be from before the wait.
        this.#queuedBytes -= written
        this.#spooled += written
        this.#options.onSpooled?.(path, this.#spooled)
      }
    } catch (error) {
      this.#failure = new TemporaryFileError(this.#options.url, path, error)
    } finally {
      this.#writing = undefined
    }
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }
}

/** Opens a file that must not be there yet, in a folder that need not be. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await mkdir(dirname(path), { recursive: true })
    return await open(path, 'wx')
  }
}

/** Writes all of `chunks` and returns how many bytes they are; one `writev` may write less than it is given. */
async function writeAll(handle: FileHandle, chunks: readonly Buffer[]): Promise<number> {
  let rest = chunks
  let total = 0
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest)
    total += bytesWritten
    let whole = 0
    for (; whole < rest.length && bytesWritten >= (rest[whole] as Buffer).length; whole++) {
      bytesWritten -= (rest[whole] as Buffer).length
    }
    rest = rest.slice(whole)
    if (bytesWritten > 0) rest = [(rest[0] as Buffer).subarray(bytesWritten), ...rest.slice(1)]
  }
  return total
}
