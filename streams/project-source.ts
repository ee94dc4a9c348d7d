/**
 * Gives the projects of an index that are to be fetched: those that are asked for by name, or all that it lists.
 *
 * in     nothing; with `includes` no request is made, else one for the listing
 * out    those of `first`, as far as they are listed; then one `Project` for each other name of `includes`, in their order, or for each that the
 *        listing has, in its order, and none where that is the `listing` known; none that `excludes` takes out
 * holds  at most `highWaterMark` projects, and of a listing 256 KiB and what 16 KiB make; the listing itself waits
 *        in a temporary file
 * fails  with the `DownloadError` or `DocumentError` of the listing, with what came before it already given; a name that is
 *        none is a `'skip'`
 *
 * Emits `'listing'` after the last project of a listing that was read to its end.
 */
import { addAbortSignal, Readable } from 'node:stream'
import type { KnownListing } from '../lib/catalog/known.js'
import { RecordError, StatusError } from '../lib/errors.js'
import { parseRequirements, type Requirements, selectProjects } from '../lib/filter/projects.js'
import type { Downloaded } from '../lib/http/body.js'
import type { Downloadable } from '../lib/http/download.js'
import { settledLastModified } from '../lib/http/last-modified.js'
import { redactUrl } from '../lib/http/redact.js'
import { httpUrl, integer, oneOf } from '../lib/options.js'
import { textOf } from '../lib/pypi/documents/format.js'
import { type DocumentLimits, documentLimits, type GivenLimits } from '../lib/pypi/documents/limits.js'
import { piecesOf } from '../lib/pypi/documents/text.js'
import { documentUrls, listingUrl, type Source } from '../lib/pypi/index-urls.js'
import { type ListedProject, readListing } from '../lib/pypi/listing.js'
import { normalizeName } from '../lib/pypi/name.js'
import type { Project } from '../lib/pypi/package.js'
import { Downloader, type DownloaderOptions } from './downloader.js'
import { skip } from './skip.js'

export interface ProjectSourceOptions
  extends Omit<
    DownloaderOptions<Downloadable>,
    'needed' | 'digest' | 'concurrency' | 'maxBytesInFlight' | 'highWaterMark'
  > {
  /** Root of the simple API, with a slash at its end or without. @defaultValue https://pypi.org/simple/ */
  readonly indexUrl?: string | URL | undefined
  /**
   * Which documents of projects to ask for: `simple` for the simple API in JSON or HTML, `json` for
   * `/pypi/NAME/json`, beside `/simple/`. @defaultValue simple
   */
  readonly source?: Source | undefined
  /** Requirements (PEP 508) whose projects to give. @defaultValue all that the index lists */
  readonly includes?: Requirements | undefined
  /** Requirements; one without a specifier takes its project out. @defaultValue none */
  readonly excludes?: Requirements | undefined
  /**
   * Names of projects to give before all others, as far as they are listed or asked for by name; where the listing did
   * not change, all of them. @defaultValue none
   */
  readonly first?: readonly string[] | undefined
  /** What is known of the listing: one that did not change is not read. @defaultValue nothing */
  readonly listing?: Pick<KnownListing, 'etag' | 'lastModified' | 'digest'> | undefined
  /**
   * Projects to give in place of all others, as another process had them listed; no request is made.
   * @defaultValue none
   */
  readonly listed?: readonly ListedProject[] | undefined
  /** Projects buffered for the reader. Whole number of 1 or more. @defaultValue 16 (Node's, for objects) */
  readonly highWaterMark?: number | undefined
  /** What the listing may ask of this process. */
  readonly limits?: GivenLimits | undefined
}

/** What `'listing'` tells. */
export interface ProjectListing {
  /** Projects that the index lists, those taken out included; 0 when nothing changed. */
  readonly total: number
  /** Whether that is all it has: not so when nothing changed, by its own answer or its digest. */
  readonly complete: boolean
  /** Whether each project came with a serial number, so that none changes without the listing. */
  readonly serials: boolean
  /** Last serial number of the index, on warehouse. */
  readonly serial: number | undefined
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** SHA-256 of the listing; `undefined` when the index answered that it did not change. */
  readonly digest: string | undefined
}

/** @see https://packaging.python.org/en/latest/specifications/simple-repository-api/#version-format-selection */
const ACCEPT: Readonly<Record<Source, string>> = {
  simple: 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01',
  json: 'application/json'
}

export class ProjectSource extends Readable {
  readonly #listingUrl: string
  readonly #documentUrl: (project: string) => string
  readonly #source: Source
  readonly #headers: Readonly<Record<string, string>>
  readonly #authorization: Readonly<Record<string, string>>
  readonly #admits: (project: string) => boolean
  /** Those asked for by name that were not given yet. */
  readonly #named: Iterator<Project> | undefined
  /** Those to give before the listing, by normalised name. */
  readonly #first: ReadonlyMap<string, string>
  readonly #known: Pick<KnownListing, 'etag' | 'lastModified' | 'digest'>
  #serials = true
  readonly #limits: DocumentLimits
  readonly #http: DownloaderOptions<Downloadable>
  readonly #controller = new AbortController()
  #given = 0
  #running: Promise<void> | undefined
  #wake: (() => void) | undefined

  constructor({
    indexUrl = 'https://pypi.org/simple/',
    source = 'simple',
    includes,
    excludes,
    first = [],
    listing = {},
    listed,
    highWaterMark = 16,
    limits,
    signal,
    ...http
  }: ProjectSourceOptions = {}) {
    const root = new URL(httpUrl('indexUrl', indexUrl))
    oneOf('source', source, ['simple', 'json'])
    integer('highWaterMark', highWaterMark, 1)
    const checked = documentLimits(limits)
    const requirements = parseRequirements('includes', includes)
    const { names, admits } = selectProjects({ includes: requirements, excludes })
    super({ objectMode: true, highWaterMark })
    this.#authorization = authorizationOf(root)
    this.#listingUrl = listingUrl(root, source)
    this.#documentUrl = documentUrls(root, source)
    this.#source = source
    this.#headers = { accept: ACCEPT[source], ...this.#authorization }
    this.#admits = admits
    this.#limits = checked
    this.#http = http
    // Not by the option: a signal that is aborted already would call `_destroy` before there are private fields.
    if (signal !== undefined) addAbortSignal(signal, this)
    this.#known = listing
    this.#first = new Map(
      first.map(name => [normalizeName(name), name] as const).filter(([project]) => admits(project))
    )
    if (listed !== undefined) {
      this.#named = this.#each(listed)
    } else if (names !== undefined) {
      const spelled = new Map(requirements.toReversed().map(({ project, name }) => [project, name]))
      const ordered = new Set([...this.#first.keys(), ...names])
      this.#named = Array.from(ordered, name => this.#project(name, spelled.get(name) as string)).values()
    }
  }

  /** Projects given so far. */
  get given(): number {
    return this.#given
  }

  override _read(): void {
    if (this.#named !== undefined) {
      let next = this.#named.next()
      while (!next.done && this.push(next.value)) next = this.#named.next()
      if (next.done) this.push(null)
      return
    }
    this.#wake?.()
    this.#running ??= this.#list().catch(error => {
      this.destroy(error as Error)
    })
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#controller.abort()
    this.#wake?.()
    if (this.#running === undefined) callback(error)
    else this.#running.finally(() => callback(error))
  }

  async #list(): Promise<void> {
    const { signal } = this.#controller
    const downloader = new Downloader<Downloadable>({
      ...this.#http,
      concurrency: 1,
      digest: 'sha256',
      signal
    })
    const { etag, lastModified } = this.#known
    const headers = {
      accept: ACCEPT.simple,
      ...this.#authorization,
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
      ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified })
    }
    downloader.end({ url: this.#listingUrl, headers })
    // Nobody listens to its 'skip', so a failure destroys it and is thrown here.
    for await (const downloaded of downloader as AsyncIterable<Downloaded<Downloadable>>) {
      try {
        await this.#readListing(downloaded)
      } finally {
        await downloaded.body.discard()
      }
    }
    this.push(null)
  }

  async #readListing({ body, headers, status, url }: Downloaded<Downloadable>): Promise<void> {
    const about = {
      etag: textOf(headers.etag),
      lastModified: settledLastModified(headers),
      digest: status === 304 ? undefined : body.digests.sha256
    }
    const { etag, lastModified } = this.#known
    // Without having been asked on condition, that is no answer.
    if (status === 304 && (etag ?? lastModified) === undefined) throw new StatusError(redactUrl(url), status)
    if (status === 304 || (about.digest !== undefined && about.digest === this.#known.digest)) {
      for (const [project, name] of this.#first) {
        if (!this.push(this.#project(project, name))) await this.#wanted()
        if (this.destroyed) return
      }
      const nothing = { total: 0, complete: false, serials: false, serial: undefined }
      this.emit('listing', { ...about, ...nothing } satisfies ProjectListing)
      return
    }
    const input = { url, contentType: textOf(headers['content-type']) }
    const read = () => readListing(piecesOf(body), input, this.#limits)
    const first = this.#first.size === 0 ? undefined : await this.#findFirst(read())
    for (const item of first?.values() ?? []) {
      if (!this.#give(item)) await this.#wanted()
      if (this.destroyed) return
    }
    const batches = read()
    let batch = await batches.next()
    while (!batch.done) {
      for (const item of batch.value) {
        if (!(item instanceof RecordError) && first?.has(item.project)) continue
        if (!this.#give(item)) await this.#wanted()
        if (this.destroyed) return
      }
      batch = await batches.next()
    }
    const listing = { ...about, ...batch.value, complete: true, serials: this.#serials }
    this.emit('listing', listing satisfies ProjectListing)
  }

  /** What a listing has of those that are to be given first, in their order. */
  async #findFirst(
    batches: AsyncIterable<readonly (ListedProject | RecordError)[]>
  ): Promise<Map<string, ListedProject>> {
    const found = new Map<string, ListedProject>()
    for await (const batch of batches) {
      for (const item of batch) {
        if (!(item instanceof RecordError) && this.#first.has(item.project)) found.set(item.project, item)
      }
    }
    const order = [...this.#first.keys()]
    return new Map(
      order.flatMap(project => {
        const item = found.get(project)
        return item === undefined ? [] : [[project, item]]
      })
    )
  }

  /** @returns whether the reader wants more */
  #give(item: ListedProject | RecordError): boolean {
    if (item instanceof RecordError) return skip(this, { project: item.filename, url: item.url }, item)
    const { project, name, serial } = item
    this.#serials &&= serial !== undefined
    return !this.#admits(project) || this.push(this.#project(project, name, item))
  }

  async #wanted(): Promise<void> {
    if (this.destroyed) return
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }

  *#each(listed: readonly ListedProject[]): Generator<Project, void, undefined> {
    for (const one of listed) yield this.#project(one.project, one.name, one)
  }

  #project(project: string, name: string, listed?: ListedProject): Project {
    this.#given++
    const listedUrl = this.#source === 'simple' ? listed?.url : undefined
    const url = listedUrl ?? this.#documentUrl(project)
    return { project, name, url, headers: this.#headers, serial: listed?.serial }
  }
}

/**
 * Takes credentials out of the URL of an index and makes a header of them, so that they are in none of the URLs that
 * are stored and shown. Downloads keep that header from other origins.
 */
function authorizationOf(url: URL): Readonly<Record<string, string>> {
  const { username, password } = url
  if (username === '' && password === '') return {}
  url.username = ''
  url.password = ''
  const credentials = `${undoPercents(username)}:${undoPercents(password)}`
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

function undoPercents(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone percent sign stands for itself.
    return text
  }
}
