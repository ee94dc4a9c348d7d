/**
 * What several benchmarks do: the bare loop that no pipeline can beat, and our sync beside it.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Agent } from 'undici'
import { Catalog } from '../lib/catalog/catalog.js'
import type { Report } from '../lib/report.js'
import { type SyncOptions, sync } from '../streams/index.js'
import { madeUpName } from './index-server/made-up.js'

const ACCEPT = 'application/vnd.pypi.simple.v1+json'
const unzip = promisify(gunzip)

export interface BareLoopOptions {
  readonly origin: string
  readonly projects: number
  readonly concurrency: number
  /** Asks for gzip, as our downloader does, and undoes it in the thread pool. @defaultValue false */
  readonly gzip?: boolean | undefined
  /** @defaultValue true */
  readonly parse?: boolean | undefined
}

/**
 * The same requests through undici, so many in flight, `JSON.parse`, and the result thrown away. Gives how many files
 * the documents list.
 */
export async function bareLoop({
  origin,
  projects,
  concurrency,
  gzip = false,
  parse = true
}: BareLoopOptions): Promise<number> {
  const agent = new Agent({ pipelining: 1 })
  const headers = { accept: ACCEPT, ...(gzip ? { 'accept-encoding': 'gzip' } : {}) }
  let next = 0
  let files = 0
  const work = async () => {
    while (next < projects) {
      const path = `/simple/${madeUpName(next++)}/`
      const { body } = await agent.request({ origin, path, method: 'GET', headers })
      if (!parse) {
        await body.dump()
        continue
      }
      const text = gzip ? (await unzip(await body.arrayBuffer())).toString() : await body.text()
      files += (JSON.parse(text) as { files: unknown[] }).files.length
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  await agent.destroy()
  return files
}

/** An empty catalog with its schema, in a file. */
export async function newCatalog(folder: string, name = 'catalog.db'): Promise<Catalog> {
  for (const suffix of ['', '-wal', '-shm', '-lock-1', '-lock-open'])
    await rm(join(folder, name + suffix), { force: true })
  return await Catalog.open(join(folder, name))
}

/** A sync of all that the index lists, with every file of it. */
export async function syncAll(catalog: Catalog | string, options: SyncOptions): Promise<Report> {
  return await sync({ catalog, store: join('unused', 'store'), prereleases: true, ...options })
}

/** Adds up what a catalog holds, to compare with what the index has. */
export async function contentOf(
  catalog: Catalog
): Promise<{ files: number; bytes: number; digests: number }> {
  let [files, bytes, digests] = [0, 0, 0]
  for await (const { size, digests: stated } of catalog.packages('pypi')) {
    files++
    bytes += size ?? 0
    if (stated.sha256 !== undefined) digests++
  }
  return { files, bytes, digests }
}
