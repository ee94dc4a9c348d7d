/**
 * Writes an index as plain files: for nginx, for a bucket, or to be read from a disk.
 */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Catalog } from '../catalog/catalog.js'
import type {
  IndexedPackage,
  IndexedProject,
  IndexedRepository,
  IndexReader,
  ListedProject
} from '../catalog/index-reader.js'
import { CatalogError } from '../errors.js'
import { integer, oneOf, text } from '../options.js'
import { filePath, projectPage, projectSerial, repositorySerial } from '../serve/documents/page.js'
import { listingHtml, simpleHtml } from '../serve/documents/simple-html.js'
import { listingJson, simpleJson } from '../serve/documents/simple-json.js'
import { openStore } from '../store/open-store.js'
import type { Store } from '../store/store.js'
import { PublishFolder, type TreeState, wrapped } from './folder.js'
import { entries, type LinkKind, placeFiles, pruneFiles } from './place-files.js'

export interface PublishOptions {
  /** The folder to publish to; it is made where there is none. */
  readonly directory: string
  /** A catalog that the caller opened and will close, or where it lies; it must be there. @defaultValue `millrace.db` */
  readonly catalog?: Catalog | string | undefined
  /** Where files lie: a store, the folder of one, or `s3://BUCKET/PREFIX`. @defaultValue `millrace-store` */
  readonly store?: Store | string | undefined
  /** @defaultValue `pypi` */
  readonly repository?: string | undefined
  /** The version to publish. @defaultValue the newest */
  readonly version?: number | undefined
  /**
   * How files come from the store: as a second name of the same file, or as a copy where the file system has no such
   * thing; as a symbolic link; or as a copy. From a bucket they are copied. @defaultValue `hard`
   */
  readonly link?: LinkKind | undefined
  /** Write all pages, also those that did not change since the last publication. @defaultValue false */
  readonly full?: boolean | undefined
  /** Stops the publication when aborted; what was published before stays. */
  readonly signal?: AbortSignal | undefined
}

/** What a publication did. */
export interface PublishReport {
  readonly repository: string
  readonly version: number
  /** Whether anything was written. */
  readonly changed: boolean
  readonly durationMs: number
  readonly projects: {
    /** Whose pages were written. */
    written: number
    /** Whose pages are the same files as before. */
    kept: number
  }
  readonly files: {
    /** That were not there before. */
    placed: number
    removed: number
    /** That the pages written link to upstream, for the store has them not. */
    upstream: number
  }
}

/** Of the layout and the pages; to be raised when either changes. */
const FORMAT = 1
const PAGES = { html: 'index.html', json: 'index.json' } as const
/** Projects that are worked on at once. */
const CONCURRENCY = 8

/**
 * Publishes a version of a repository.
 * @throws {@link OptionError}, {@link CatalogError}, {@link StoreError}, {@link PublishError}, an `AbortError`; then
 * what was published before is what clients see
 */
export async function publish({
  directory,
  catalog = 'millrace.db',
  store = 'millrace-store',
  repository = 'pypi',
  version,
  link = 'hard',
  full = false,
  signal
}: PublishOptions): Promise<PublishReport> {
  text('directory', directory)
  text('repository', repository)
  oneOf('link', link, ['hard', 'symbolic', 'copy'])
  if (version !== undefined) integer('version', version, 0)
  signal?.throwIfAborted()
  const startedAt = performance.now()
  const kept = await openStore(store)
  const opened =
    typeof catalog === 'string' ? await Catalog.open(catalog, { create: false, connections: 2 }) : catalog
  try {
    const found = await opened.index.repository(repository, version)
    if (found === undefined) {
      const what = version === undefined ? '' : `version ${version} of the `
      throw new CatalogError(opened.location, `has no ${what}repository ${repository}`)
    }
    const counts = await wrapped(directory, async () => {
      const folder = await PublishFolder.open(directory)
      try {
        return await new Publication(opened.index, found, kept, folder, link).run(full, signal)
      } finally {
        await folder.close()
      }
    })
    const durationMs = Math.round(performance.now() - startedAt)
    return { repository, version: found.version, ...counts, durationMs }
  } finally {
    if (opened !== catalog) await opened.close()
  }
}

type Counts = Pick<PublishReport, 'changed' | 'projects' | 'files'>

class Publication {
  readonly #reader: IndexReader
  readonly #repository: IndexedRepository
  readonly #store: Store
  readonly #folder: PublishFolder
  readonly #link: LinkKind
  readonly #counts = {
    changed: true,
    projects: { written: 0, kept: 0 },
    files: { placed: 0, removed: 0, upstream: 0 }
  }

  constructor(
    reader: IndexReader,
    repository: IndexedRepository,
    store: Store,
    folder: PublishFolder,
    link: LinkKind
  ) {
    this.#reader = reader
    this.#repository = repository
    this.#store = store
    this.#folder = folder
    this.#link = link
  }

  async run(full: boolean, signal: AbortSignal | undefined): Promise<Counts> {
    const { id, version, fetchedRun, name, createdAt } = this.#repository
    const changed = full ? undefined : await this.#changedSince(this.#folder.state)
    if (changed?.size === 0 && this.#folder.state?.version === version)
      return { ...this.#counts, changed: false }
    await mkdir(this.#folder.page(), { recursive: true })
    await this.#writeListings()
    const projects = Readable.from(this.#projects()).map(
      async (project: ListedProject) => {
        if (changed === undefined || changed.has(project.project)) return await this.#write(project.project)
        await this.#folder.keep(project.project, Object.values(PAGES))
        this.#counts.projects.kept++
        return undefined
      },
      { concurrency: CONCURRENCY, ...(signal && { signal }) }
    )
    for await (const _ of projects);
    const state: TreeState = { format: FORMAT, repository: name, createdAt, version, fetchedRun }
    await this.#folder.use(state)
    // Only now: until then clients had pages that speak of them.
    for (const project of changed ?? (await entries(this.#folder.file()))) {
      const row = await this.#reader.project(id, project)
      const files = row && row.status !== 'quarantined' ? await this.#reader.packages(row.id, version) : []
      this.#counts.files.removed += await pruneFiles(this.#folder, project, files)
    }
    return this.#counts
  }

  /** The projects whose pages are to be written; `undefined` for all. */
  async #changedSince(state: TreeState | undefined): Promise<Set<string> | undefined> {
    const { id, name, createdAt, version } = this.#repository
    if (state?.format !== FORMAT || state.repository !== name || state.createdAt !== createdAt)
      return undefined
    // Of a version that is forgotten nobody can tell what has changed since.
    if ((await this.#reader.repository(name, state.version)) === undefined) return undefined
    return await this.#reader.changedProjects(id, state.version, version, state.fetchedRun)
  }

  async *#projects(): AsyncGenerator<ListedProject, void, undefined> {
    const { id, version } = this.#repository
    for await (const page of this.#reader.listing(id, version, { changed: false })) yield* page
  }

  async #writeListings(): Promise<void> {
    const { id, version } = this.#repository
    const serial = repositorySerial(this.#repository)
    const listing = (changed: boolean) => this.#reader.listing(id, version, { changed })
    const serialOf = (project: ListedProject) =>
      projectSerial(this.#repository, project.changed, project.status)
    await pipeline(listingHtml(serial, listing(false)), createWriteStream(this.#folder.page(PAGES.html)))
    await pipeline(
      listingJson(serial, listing(true), serialOf),
      createWriteStream(this.#folder.page(PAGES.json))
    )
  }

  async #write(name: string): Promise<void> {
    const { id, version } = this.#repository
    // The catalog forgets no project.
    const project = (await this.#reader.project(id, name)) as IndexedProject
    const packages = await this.#reader.packages(project.id, version)
    const content = projectPage(
      this.#repository,
      project,
      packages,
      await this.#reader.changed(project.id, version)
    )
    const { files, local, placed } = await placeFiles(this.#folder, this.#store, content.files, this.#link)
    const urlOf = (pkg: IndexedPackage) => (local.has(pkg) ? `../../${filePath(pkg)}` : pkg.url)
    await this.#folder.write(name, {
      [PAGES.html]: simpleHtml({ ...content, files }, urlOf),
      [PAGES.json]: simpleJson({ ...content, files }, urlOf)
    })
    this.#counts.projects.written++
    this.#counts.files.placed += placed
    this.#counts.files.upstream += files.length - local.size
  }
}
