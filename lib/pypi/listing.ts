/**
 * Reads the list of all projects of an index, JSON or HTML, piece by piece: that of pypi.org has 750,000 and is never held.
 */
import { DocumentError, MillraceError, RecordError } from '../errors.js'
import { redactUrl } from '../http/redact.js'
import { apiVersionObjection, serialOf } from './documents/format.js'
import { type Anchor, HtmlLimitError, HtmlScan, leadsToFile } from './documents/html.js'
import { type JsonVisitor, JsonWalk } from './documents/json-stream.js'
import { type DocumentLimits, JsonLimitError } from './documents/limits.js'
import { decodePieces, encodingOf, syntaxOf } from './documents/text.js'
import { isValidName, normalizeName } from './name.js'
import { filenameOfUrl } from './safe-filename.js'

/** A project as a listing has it. */
export interface ListedProject {
  /** Normalised name (PEP 503). */
  readonly project: string
  /** As listed. */
  readonly name: string
  /** Where its page lies, in HTML; PEP 691 leaves that to be put together. */
  readonly url: string | undefined
  readonly serial: number | undefined
}

/** What a listing says of itself, known at its end. */
export interface ListingAbout {
  /** Projects that it lists, bad names not counted. */
  readonly total: number
  readonly serial: number | undefined
}

/** Where a listing came from. */
export interface ListingInput {
  /** After redirects. */
  readonly url: string
  readonly contentType: string | undefined
}

type Item = ListedProject | RecordError

/** Longest name; a longer one could not be a folder, and no index allows it. */
const MAX_NAME = 200
const LISTS = new Map([['projects', { key: 'projects', grouped: false }]])
const HEADING = /\bsimple\b|\bindex of\b|\bdirectory listing\b/i

/**
 * Reads a listing; each batch is what one piece of it holds, the result is known at the end. Adjacent entries of one
 * project are given once.
 * @param pieces its bytes
 * @throws {@link DocumentError}
 * @see https://packaging.python.org/en/latest/specifications/simple-repository-api/#project-list
 */
export async function* readListing(
  pieces: AsyncIterable<Uint8Array>,
  input: ListingInput,
  limits: DocumentLimits
): AsyncGenerator<readonly Item[], ListingAbout> {
  const url = redactUrl(input.url)
  const [beginning, all] = await peek(pieces)
  const syntax = syntaxOf(beginning, input.contentType)
  if (syntax === undefined) {
    throw new DocumentError(url, beginning.length === 0 ? 'it is empty' : 'it is neither JSON nor HTML')
  }
  const reader = syntax === 'json' ? new JsonListing(url, limits) : new HtmlListing(input.url, limits)
  const encoding = syntax === 'json' ? 'utf-8' : encodingOf(beginning, input.contentType)
  try {
    for await (const text of decodePieces(all, encoding)) {
      reader.write(text)
      yield reader.take()
    }
    const about = reader.end()
    yield reader.take()
    return about
  } catch (error) {
    if (error instanceof MillraceError || !(error instanceof Error) || 'code' in error) throw error
    if (error instanceof JsonLimitError || error instanceof HtmlLimitError)
      throw new DocumentError(url, error.message)
    throw new DocumentError(url, 'it is not valid JSON', error)
  }
}

/** The first piece, and all pieces from it on. */
async function peek(
  pieces: AsyncIterable<Uint8Array>
): Promise<[beginning: Uint8Array, all: AsyncIterable<Uint8Array>]> {
  const iterator = pieces[Symbol.asyncIterator]()
  const first = await iterator.next()
  const rest = { [Symbol.asyncIterator]: () => iterator }
  return [first.done ? new Uint8Array() : first.value, chained(first, rest)]
}

async function* chained(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  if (!first.done) yield first.value
  yield* rest
}

/** What both syntaxes share: names are checked, and gathered until they are taken. */
abstract class Listing {
  protected readonly url: string
  protected total = 0
  #items: Item[] = []
  #last: string | undefined

  constructor(url: string) {
    this.url = url
  }

  take(): readonly Item[] {
    const items = this.#items
    this.#items = []
    return items
  }

  abstract write(text: string): void
  abstract end(): ListingAbout

  protected add(name: unknown, url: string | undefined, serial: number | undefined): void {
    if (typeof name !== 'string' || name.length > MAX_NAME || !isValidName(name)) {
      const shown = typeof name === 'string' ? name.slice(0, MAX_NAME) : undefined
      this.#items.push(new RecordError(redactUrl(this.url), shown, 'it is no valid name of a project'))
      return
    }
    const project = normalizeName(name)
    if (project === this.#last) return
    this.#last = project
    this.total++
    this.#items.push({ project, name, url, serial })
  }
}

class JsonListing extends Listing implements JsonVisitor {
  readonly #walk: JsonWalk
  #listed = false
  #serial: number | undefined

  constructor(url: string, limits: DocumentLimits) {
    super(url)
    this.#walk = new JsonWalk(LISTS, limits, this)
  }

  override write(text: string): void {
    this.#walk.write(text)
  }

  override end(): ListingAbout {
    this.#walk.end()
    if (!this.#listed) throw new DocumentError(this.url, 'it is JSON, but lists no projects')
    return { total: this.total, serial: this.#serial }
  }

  key(): void {}

  scalar(key: string, sub: string | undefined, value: string | number | boolean | null): void {
    if (key !== 'meta') return
    const objection = sub === 'api-version' ? apiVersionObjection(value) : undefined
    if (objection !== undefined) throw new DocumentError(this.url, objection)
    if (sub === '_last-serial') this.#serial = serialOf(value)
  }

  list(): boolean {
    this.#listed = true
    return true
  }

  entry(value: unknown): void {
    const { name, '_last-serial': serial } = (
      value !== null && typeof value === 'object' ? value : {}
    ) as Record<string, unknown>
    this.add(name, undefined, serialOf(serial))
  }
}

class HtmlListing extends Listing {
  readonly #scan: HtmlScan
  #base: string | undefined
  #isDeclaredAbove: boolean | undefined

  constructor(url: string, limits: DocumentLimits) {
    super(url)
    this.#scan = new HtmlScan(limits, anchor => this.#anchor(anchor))
  }

  override write(text: string): void {
    this.#scan.write(text)
  }

  override end(): ListingAbout {
    this.#scan.end()
    const objection = apiVersionObjection(this.#scan.value('meta.pypi:repository-version'))
    if (objection !== undefined) throw new DocumentError(redactUrl(this.url), objection)
    const files = this.#scan.count('files') as number
    const links = this.#scan.count('links') as number
    if (this.total === 0 && files > 0)
      throw new DocumentError(redactUrl(this.url), 'it links to files, not to projects (a find-links page)')
    if (!this.#isDeclared && (this.total === 0 || this.total * 2 < links))
      throw new DocumentError(redactUrl(this.url), 'it is a web page, but no list of projects')
    return { total: this.total, serial: serialOf(this.#scan.value('serial')) }
  }

  /** Whether the page says of itself that it is a listing. */
  get #isDeclared(): boolean {
    return (
      this.#scan.value('meta.pypi:repository-version') !== undefined ||
      HEADING.test(String(this.#scan.value('title')))
    )
  }

  /**
   * A link is one to a project when it reads as its address ends, which `Parent Directory` and `Log in` do not. Where
   * the page does not say what it is, the link must also lead to a folder below it.
   */
  #anchor({ attributes: { href }, text }: Anchor): void {
    this.#base ??=
      this.#scan.base !== undefined && URL.canParse(this.#scan.base, this.url)
        ? new URL(this.#scan.base, this.url).href
        : this.url
    if (leadsToFile(href) || !URL.canParse(href, this.#base)) return
    const url = new URL(href, this.#base)
    const named = filenameOfUrl(url)
    if (named === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return
    // Asked once: a long title and a hundred thousand links would take their time.
    this.#isDeclaredAbove ??= this.#isDeclared
    if (!this.#isDeclaredAbove && !url.href.startsWith(new URL('.', this.#base).href)) return
    const name = text.replace(/\/$/, '')
    // Web servers cut long names short.
    const cut = /^(.+?)(?:\.\.>|…)$/.exec(name)?.[1]
    if (cut !== undefined ? !named.startsWith(cut) : normalizeName(name) !== normalizeName(named)) return
    url.hash = ''
    url.username = ''
    url.password = ''
    this.add(cut === undefined ? name : named, url.href, undefined)
  }
}
