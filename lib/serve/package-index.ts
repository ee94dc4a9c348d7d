/**
 * The index that is served: what its URLs name, and the pages of its projects as bytes.
 *
 * A page stays the same while its project has no newer change and no other status, and so it is kept under these.
 * What is asked of the catalog for each request is the newest version and the project's row.
 */
import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { IndexedProject, IndexedRepository, IndexReader } from '../catalog/index-reader.js'
import { RecentMap } from '../catalog/recent-map.js'
import { BatchedCalls } from './batched-calls.js'
import { ByteCache } from './byte-cache.js'
import { filePath, type ProjectPage, projectPage } from './documents/page.js'
import { simpleHtml } from './documents/simple-html.js'
import { simpleJson } from './documents/simple-json.js'
import type { Format } from './negotiate.js'
import { SharedCalls } from './shared-calls.js'

export type Coding = 'br' | 'gzip'

/** A document, ready to be sent. */
export interface Page {
  readonly body: Buffer
  /** Weak: the same whatever the coding. */
  readonly etag: string
  /** As an HTTP date. */
  readonly lastModified: string
  readonly serial: number
  /** The body, compressed. */
  coded(coding: Coding): Promise<Buffer>
}

/** Bytes of pages and their compressed forms that are kept. */
const CACHE_BYTES = 64 * 1024 * 1024
/** Projects and versions of which it is known what changed them last. */
const KNOWN_CHANGES = 65_536

/** What is compressed once and sent many times may take its time; above these levels it takes much more. */
const CODERS: Readonly<Record<Coding, (body: Buffer) => Promise<Buffer>>> = {
  gzip: body => promisify(gzip)(body, { level: 6 }) as Promise<Buffer>,
  br: body =>
    promisify(brotliCompress)(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length }
    }) as Promise<Buffer>
}

export class PackageIndex {
  readonly reader: IndexReader
  /** Name of the repository that URLs without one mean. */
  readonly defaultName: string
  readonly #pages = new ByteCache<Page>(CACHE_BYTES)
  readonly #changes = new RecentMap<string, number>(KNOWN_CHANGES)
  readonly #repositories: BatchedCalls<string, IndexedRepository | undefined>
  readonly #projects: BatchedCalls<
    readonly [repositoryId: number, project: string],
    IndexedProject | undefined
  >
  readonly #making = new SharedCalls<Page | undefined>()
  #hits = 0
  #misses = 0

  constructor(reader: IndexReader, defaultName: string) {
    this.reader = reader
    this.defaultName = defaultName
    this.#repositories = new BatchedCalls(names => Promise.all(names.map(name => this.#find(name))))
    this.#projects = new BatchedCalls(asked => reader.projects(asked))
  }

  /** Pages that were at hand, and pages that were made. */
  get lookups(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#hits, misses: this.#misses }
  }

  /** The repository that a URL means by `NAME` or `NAME@VERSION`, or by neither. */
  async repository(asked: string = this.defaultName): Promise<IndexedRepository | undefined> {
    return await this.#repositories.ask(asked, asked)
  }

  /** A project by its normalised name. */
  async project({ id }: IndexedRepository, project: string): Promise<IndexedProject | undefined> {
    return await this.#projects.ask(`${id} ${project}`, [id, project])
  }

  /** The page of a project in the simple API; `undefined` where the version has nothing of it. */
  async simplePage(
    repository: IndexedRepository,
    project: IndexedProject,
    format: Format
  ): Promise<Page | undefined> {
    const changed = await this.#lastChange(repository, project)
    const { id, name, status, statusReason } = project
    const key = JSON.stringify([format, id, changed, name, status, statusReason])
    const held = this.#pages.get(key)
    if (held !== undefined) {
      this.#hits++
      return held
    }
    return await this.#making.run(key, async () => {
      this.#misses++
      const content = await this.projectPage(repository, project)
      if (content === undefined) return undefined
      const made = (await this.reader.madeAt(repository.id, changed)) ?? repository.modifiedAt
      const render = format === 'json' ? simpleJson : simpleHtml
      const page = makePage(
        render(content, pkg => `../../${filePath(pkg)}`),
        content.serial,
        made,
        bytes => this.#pages.grow(key, page, bytes)
      )
      this.#pages.set(key, page, page.body.length)
      return page
    })
  }

  /** What the page of a project says; `undefined` where the version has nothing of it. */
  async projectPage(
    repository: IndexedRepository,
    project: IndexedProject
  ): Promise<ProjectPage | undefined> {
    const files = await this.reader.packages(project.id, repository.version)
    // A project in quarantine has a page, so that people see why it has no files.
    if (files.length === 0 && project.status !== 'quarantined') return undefined
    return projectPage(repository, project, files, await this.#lastChange(repository, project))
  }

  async #find(asked: string): Promise<IndexedRepository | undefined> {
    const found = await this.reader.repository(asked)
    if (found !== undefined) return found
    const [, name, version] = /^(.+)@(\d{1,15})$/s.exec(asked) ?? []
    return name === undefined ? undefined : await this.reader.repository(name, Number(version))
  }

  async #lastChange({ version }: IndexedRepository, { id }: IndexedProject): Promise<number> {
    const key = `${id} ${version}`
    const known = this.#changes.get(key)
    if (known !== undefined) return known
    const changed = await this.reader.changed(id, version)
    this.#changes.set(key, changed)
    return changed
  }
}

/** A document as a page. `grow` is told how many bytes a compressed form adds. */
export function makePage(
  text: string,
  serial: number,
  modifiedAt: string,
  grow: (bytes: number) => void = () => {}
): Page {
  const body = Buffer.from(text)
  const coded = new Map<Coding, Promise<Buffer>>()
  return {
    body,
    serial,
    etag: `W/"${hash('sha256', body, 'base64url').slice(0, 27)}"`,
    lastModified: new Date(modifiedAt).toUTCString(),
    coded(coding) {
      let compressed = coded.get(coding)
      if (compressed === undefined) {
        compressed = CODERS[coding](body)
        coded.set(coding, compressed)
        compressed.then(({ length }) => grow(length))
      }
      return compressed
    }
  }
}
