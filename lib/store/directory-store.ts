/**
 * A store in a folder: `DIR/sha256/ab/cdef…`. A file is written under a temporary name, forced to the disk and
 * renamed, so that at any instant a file under its own name is whole.
 */
import { createReadStream, type Stats } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { MillraceError, StoreError } from '../errors.js'
import type { Body } from '../http/body.js'
import { temporaryName } from '../http/spool.js'
import { text } from '../options.js'
import { checkedBytes, digestOf, isSha256, nameOf } from './content.js'
import type { ListedFile, PutFile, PutOptions, Store } from './store.js'
import { cleanFolder, entries, leftoversOf, orAbsent } from './temporary-folder.js'

function code(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

export class DirectoryStore implements Store {
  readonly directory: string
  readonly temporaryDirectory: string
  /** Each waits for the disk twice. Node has four threads to wait with, which are not to wait for the main one between. */
  readonly concurrency = 16
  /** Folders that are there, for certain: made, or being made. */
  readonly #folders = new Map<string, Promise<void>>()

  constructor(directory: string) {
    text('store', directory)
    this.directory = directory
    this.temporaryDirectory = join(directory, 'tmp')
  }

  async put(body: Body, options: PutOptions = {}): Promise<PutFile> {
    const sha256 = await digestOf(body, options, this.directory)
    const { size } = body
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
        const found = isSha256(sha256) ? await this.#stat(sha256) : undefined
        if (found !== undefined) yield { sha256, size: found.size, writtenMs: found.mtimeMs }
      }
    }
  }

  leftovers(): AsyncGenerator<string, void, undefined> {
    return leftoversOf(this.temporaryDirectory)
  }

  async clean(): Promise<number> {
    return await cleanFolder(this.temporaryDirectory)
  }

  async #stat(sha256: string): Promise<Stats | undefined> {
    const path = this.pathOf(sha256)
    return await orAbsent(path, stat(path))
  }

  /** Where a file lies, or would. @throws {@link StoreError} for what is no sha256 */
  pathOf(sha256: string): string {
    return join(this.directory, nameOf(sha256))
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
    const parent = dirname(path)
    if (parent !== this.directory) {
      await this.#folder(parent)
      if ((await makeFolders(path)) !== undefined) await syncFolder(parent)
      return
    }
    await makeFolders(this.temporaryDirectory)
    await makeFolders(path)
    await syncFolder(parent)
    // For folders in it that a process had made which then died.
    await syncFolder(path)
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
      for await (const chunk of checkedBytes(body, sha256)) await handle.writeFile(chunk)
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
    /* c8 ignore start -- test/faults/limits.ts comes here where it may mount one */
    // That is all that Node tells of a read-only file system; one folder at a time, the system is asked itself.
    await makeFolders(dirname(path))
    await mkdir(path)
    return path
  }
  /* c8 ignore stop */
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
