/**
 * A store in a folder: `DIR/sha256/ab/cdef…`. A file is written under a temporary name, forced to the disk and
 * renamed, so that at any instant a file under its own name is whole.
 */
import { createHash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { DigestError, MillraceError, StoreError } from '../errors.js'
import type { Body } from '../http/body.js'
import { temporaryName } from '../http/spool.js'
import { text } from '../options.js'
import type { ListedFile, PutFile, PutOptions, Store } from './store.js'

const SHA256 = /^[0-9a-f]{64}$/

/** `HOST.PID.RANDOM.tmp`, as {@link temporaryName} makes them; a host name may have dots. */
const TEMPORARY = /^(.+)\.(\d+)\.[0-9a-f]+\.tmp$/

function code(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

export class DirectoryStore implements Store {
  readonly directory: string
  readonly temporaryDirectory: string
  /** Folders that are there, for certain: made, or being made. */
  readonly #folders = new Map<string, Promise<void>>()

  constructor(directory: string) {
    text('store', directory)
    this.directory = directory
    this.temporaryDirectory = join(directory, 'tmp')
  }

  async put(body: Body, { sha256: expected, url }: PutOptions = {}): Promise<PutFile> {
    const sha256 = body.digests.sha256 ?? (await this.#digest(body))
    const { size } = body
    if (expected !== undefined && expected.toLowerCase() !== sha256) {
      throw new DigestError(url ?? sha256, 'sha256', expected, sha256)
    }
    // A file of another size was damaged from outside, and is written anew.
    if ((await this.size(sha256)) === size) return { sha256, size, reused: true }
    const target = this.pathOf(sha256)
    try {
      await this.#folder(dirname(target))
      const source = await this.#settled(body, sha256)
      try {
        await rename(source, target)
      } catch (error) {
        if (source !== body.path) await rm(source, { force: true })
        throw error
      }
      if (source === body.path) body.take()
      await syncFolder(dirname(target))
    } catch (error) {
      throw error instanceof MillraceError ? error : new StoreError(target, 'write', error)
    }
    return { sha256, size, reused: false }
  }

  async size(sha256: string): Promise<number | undefined> {
    return (await this.#stat(sha256))?.size
  }

  createReadStream(
    sha256: string,
    options: { readonly start?: number; readonly end?: number; readonly highWaterMark?: number } = {}
  ): Readable {
    return createReadStream(this.pathOf(sha256), options)
  }

  async delete(sha256: string): Promise<void> {
    const path = this.pathOf(sha256)
    // Not only a file may lie there, if somebody else was at work.
    await rm(path, { force: true, recursive: true }).catch(error => {
      throw new StoreError(path, 'remove', error)
    })
  }

  async *list(): AsyncGenerator<ListedFile, void, undefined> {
    const root = join(this.directory, 'sha256')
    for (const folder of await entries(root)) {
      for (const name of await entries(join(root, folder))) {
        const sha256 = folder + name
        const found = SHA256.test(sha256) ? await this.#stat(sha256) : undefined
        if (found !== undefined) yield { sha256, size: found.size, writtenMs: found.mtimeMs }
      }
    }
  }

  /** Temporary files of processes of this host that are no longer alive. */
  async *leftovers(): AsyncGenerator<string, void, undefined> {
    for (const name of await entries(this.temporaryDirectory)) {
      const [, host, pid] = TEMPORARY.exec(name) ?? []
      if (host !== hostname()) continue
      const found = await this.#statPath(join(this.temporaryDirectory, name))
      if (found !== undefined && !alive(Number(pid), found.mtimeMs)) yield name
    }
  }

  async clean(): Promise<number> {
    let removed = 0
    for await (const name of this.leftovers()) {
      const path = join(this.temporaryDirectory, name)
      try {
        await unlink(path)
        removed++
      } catch (error) {
        // Another process may clean, too.
        if (code(error) !== 'ENOENT') throw new StoreError(path, 'remove', error)
      }
    }
    return removed
  }

  async #stat(sha256: string): Promise<Stats | undefined> {
    return await this.#statPath(this.pathOf(sha256))
  }

  /** What is at a path; `undefined` when nothing is. */
  async #statPath(path: string): Promise<Stats | undefined> {
    try {
      return await stat(path)
    } catch (error) {
      if (code(error) === 'ENOENT') return undefined
      throw new StoreError(path, 'read', error)
    }
  }

  /** Where a file lies, or would. @throws {@link StoreError} for what is no sha256 */
  pathOf(sha256: string): string {
    if (!SHA256.test(sha256))
      throw new StoreError(JSON.stringify(sha256), 'name a file', new Error('no sha256'))
    return join(this.directory, 'sha256', sha256.slice(0, 2), sha256.slice(2))
  }

  /** For a body whose digest was not computed when it was fetched. */
  async #digest(body: Body): Promise<string> {
    const hash = createHash('sha256')
    try {
      for await (const chunk of body.stream()) hash.update(chunk)
    } catch (error) {
      throw new StoreError(body.path ?? this.directory, 'read', error)
    }
    return hash.digest('hex')
  }

  /** Makes a folder that outlives a loss of power: once in the life of the store. */
  async #folder(path: string): Promise<void> {
    let made = this.#folders.get(path)
    if (made === undefined) {
      made = this.#makeFolder(path)
      this.#folders.set(path, made)
      made.catch(() => this.#folders.delete(path))
    }
    await made
  }

  async #makeFolder(path: string): Promise<void> {
    await makeFolders(this.temporaryDirectory)
    if ((await makeFolders(path)) === undefined) return
    await syncFolder(dirname(path))
    await syncFolder(this.directory)
  }

  /** The path of a file with the body's bytes, on the disk for certain and on the store's file system. */
  async #settled(body: Body, sha256: string): Promise<string> {
    if (body.path !== undefined && (await this.#sameFileSystem(body.path))) {
      const handle = await open(body.path, 'r+')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
      return body.path
    }
    const path = join(this.temporaryDirectory, temporaryName())
    const handle = await open(path, 'wx')
    try {
      const hash = createHash('sha256')
      for await (const chunk of body.stream()) {
        hash.update(chunk)
        await handle.writeFile(chunk)
      }
      const found = hash.digest('hex')
      if (found !== sha256) throw new DigestError(sha256, 'sha256', sha256, found)
      await handle.sync()
    } catch (error) {
      await handle.close()
      await rm(path, { force: true })
      throw error
    }
    await handle.close()
    return path
  }

  async #sameFileSystem(path: string): Promise<boolean> {
    const [one, other] = await Promise.all([stat(path), stat(this.temporaryDirectory)])
    return one.dev === other.dev
  }
}

/** Returns the first folder that was made, if any was. */
async function makeFolders(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true })
  } catch (error) {
    if (code(error) !== 'ENOENT') throw error
    // That is all that Node tells of a read-only file system; one folder at a time, the system is asked itself.
    /* c8 ignore start -- test/faults/limits.ts comes here where it may mount one */
    await makeFolders(dirname(path))
    await mkdir(path)
    return path
    /* c8 ignore stop */
  }
}

/** Forces the names in a folder to the disk: without it a renamed file may be gone after a loss of power. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What is in a folder; nothing when it is not there. */
async function entries(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (code(error) === 'ENOENT') return []
    throw new StoreError(path, 'read', error)
  }
}

/** Whether a process of this host that wrote a temporary file at `writtenMs` is still there. */
function alive(pid: number, writtenMs: number): boolean {
  // In a container each process has the number of the one before it.
  if (pid === process.pid) return writtenMs >= Date.now() - process.uptime() * 1000
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return code(error) === 'EPERM'
  }
}
