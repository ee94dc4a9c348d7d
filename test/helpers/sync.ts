/** Syncs a small index into a catalog and a store in the test's folder. */
import { join } from 'node:path'
import { Transform } from 'node:stream'
import type { Test } from 'tap'
import type { IndexServer, IndexServerOptions } from '../../benchmarks/index-server/server.js'
import { Catalog } from '../../lib/catalog/catalog.js'
import type { StoredPackage } from '../../lib/catalog/rows.js'
import type { Report } from '../../lib/report.js'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import { type SyncOptions, sync } from '../../streams/sync.js'
import { readAll } from './catalog.js'
import { execute, newLocation } from './database.js'
import { indexServer } from './index-server.js'

export interface SyncSetup {
  readonly index: IndexServer
  readonly catalog: string
  readonly store: string
  /** Syncs, with retries that do not wait. */
  run(options?: SyncOptions): Promise<Report>
  /** The packages of the newest version, or of one. */
  packages(version?: number): Promise<StoredPackage[]>
  /** Their file names. */
  names(version?: number): Promise<string[]>
  /** What the store holds: digests and sizes. */
  stored(): Promise<Map<string, number>>
  /** Works on the catalog. */
  open<T>(work: (catalog: Catalog) => Promise<T>): Promise<T>
  /** Rows of the catalog's database. */
  rows<Row>(sql: string): Promise<Row[]>
}

/** To be called once a test. The index has what `options` make up, which is nothing where they do not say. */
export async function syncSetup(t: Test, options: IndexServerOptions = {}): Promise<SyncSetup> {
  const index = await indexServer(t, { projects: 0, files: 3, ...options })
  return await syncInto(t, t.testdir(), index)
}

/** The same for an index that is there already, and another folder. */
export async function syncInto(t: Test, directory: string, index: IndexServer): Promise<SyncSetup> {
  return syncAt(await newLocation(t, directory), join(directory, 'store'), index)
}

/** The same for a catalog and a store at other places. */
export function syncAt(catalog: string, store: string, index: IndexServer): SyncSetup {
  const open = async <T>(work: (catalog: Catalog) => Promise<T>) => {
    const opened = await Catalog.open(catalog)
    try {
      return await work(opened)
    } finally {
      await opened.close()
    }
  }
  const packages = (version?: number) =>
    open(async opened => {
      if (!(await opened.repositories()).includes('pypi')) return []
      return await readAll(opened, 'pypi', version === undefined ? {} : { version })
    })
  return {
    index,
    catalog,
    store,
    open,
    packages,
    rows: sql => execute(catalog, sql),
    run: more => sync({ indexUrl: index.indexUrl, catalog, store, minTimeout: 1, maxTimeout: 2, ...more }),
    names: async version => (await packages(version)).map(({ filename }) => filename),
    async stored() {
      const files = new Map<string, number>()
      for await (const { sha256, size } of new DirectoryStore(store).list()) files.set(sha256, size)
      return files
    }
  }
}

/** A stage that does nothing, but does not end before `promise` has. */
export function endsAfter(promise: Promise<unknown>): Transform {
  return new Transform({
    objectMode: true,
    transform: (item, _encoding, done) => done(null, item),
    flush: done => void promise.then(() => done(), done)
  })
}

/** Adds a project with one sdist for each version. */
export function addProject(index: IndexServer, name: string, ...versions: string[]): void {
  index.index.add({ name, files: versions.map(version => ({ filename: `${name}-${version}.tar.gz` })) })
}
