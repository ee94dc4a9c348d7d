/**
 * Reads a project's document of any format: short ones at once, long ones piece by piece. Both ways give the same files.
 *
 * A long JSON document is read twice, the first time for its outline. So nothing of it is given out when it turns out to
 * be broken at its end, and of equal keys the last counts, as for `JSON.parse`.
 */
import { isDeepStrictEqual } from 'node:util'
import { DocumentError, MillraceError, RecordError } from '../../errors.js'
import { redactUrl } from '../../http/redact.js'
import { normalizeName } from '../name.js'
import type { Package } from '../package.js'
import { type EntryContext, type Flaw, packageOf } from './entry.js'
import type { About, ChosenList, DocumentFormat, EntryList, Outline } from './format.js'
import { documentFormats } from './formats.js'
import { HtmlLimitError, HtmlScan, leadsToFile } from './html.js'
import { isEntry, isQuicklyParsed, JsonDocument } from './json.js'
import { type JsonOutline, outlineOf, readEntries } from './json-passes.js'
import { type DocumentLimits, JsonLimitError } from './limits.js'
import { decodePieces, encodingOf, syntaxOf } from './text.js'

/** Which document it is. */
export interface DocumentInput {
  /** Where it came from, after redirects: relative URLs are resolved against it. */
  readonly url: string
  readonly contentType: string | undefined
  /** Normalised name of the project that was asked for. */
  readonly project: string
  /** Its name as listed. */
  readonly name: string
}

/** A package, or what is wrong with an entry. */
export type ReadItem = Package | RecordError

/** What a document holds. */
export interface ReadDocument<Items> {
  readonly about: About
  readonly items: Items
}

/** Names remembered to find a file that is listed twice; of those after them the catalog's key has to take care. */
const MAX_REMEMBERED = 10_000
/** Bytes of a page that is read at once. Nothing but links, that is 20 ms. */
const WHOLE_HTML_BYTES = 64 * 1024
/** Flaws of a document that are told one by one. */
const MAX_RECORDS = 1000

const formatsOf = (syntax: 'json' | 'html') => documentFormats.filter(format => format.syntax === syntax)
const FORMATS = { json: formatsOf('json'), html: formatsOf('html') }
const LISTS: ReadonlyMap<string, EntryList> = new Map(
  FORMATS.json.flatMap(format => format.lists.map(list => [list.key, list] as const))
)
const PATHS: ReadonlySet<string> = new Set(FORMATS.json.flatMap(format => format.paths))

/**
 * Reads a document at once.
 * @returns `undefined` where that would take too long: {@link readLong} it
 * @throws {@link DocumentError}
 */
export function readWhole(
  bytes: Uint8Array,
  input: DocumentInput,
  limits: DocumentLimits
): ReadDocument<ReadItem[]> | undefined {
  if (bytes.length > limits.wholeBytes) return undefined
  return refusing(input, () => {
    if (syntaxOrThrow(bytes, input) === 'html') {
      return bytes.length > WHOLE_HTML_BYTES ? undefined : wholeHtml(bytes, input, limits)
    }
    return isQuicklyParsed(bytes, limits.maxDepth) ? wholeJson(bytes, input) : undefined
  })
}

function wholeJson(bytes: Uint8Array, input: DocumentInput): ReadDocument<ReadItem[]> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  const document = new JsonDocument(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, LISTS)
  const format = formatOf('json', document)
  const files = new Files(format, document, input)
  const items: ReadItem[] = []
  for (const list of files.chosen) {
    for (const [entry, group] of document.entries(list.key)) files.add(entry, group ?? list.group, items)
  }
  files.end(items)
  return { about: files.about, items }
}

function wholeHtml(
  bytes: Uint8Array,
  input: DocumentInput,
  limits: DocumentLimits
): ReadDocument<ReadItem[]> {
  const anchors: unknown[] = []
  const scan = new HtmlScan(limits, ({ attributes }) => {
    if (leadsToFile(attributes.href)) anchors.push(attributes)
  })
  scan.write(new TextDecoder(encodingOf(bytes, input.contentType)).decode(bytes))
  scan.end()
  const format = formatOf('html', scan)
  const files = new Files(format, scan, input, scan.base)
  const items: ReadItem[] = []
  if (files.chosen.length > 0) for (const anchor of anchors) files.add(anchor, undefined, items)
  files.end(items)
  return { about: files.about, items }
}

/**
 * Reads a document piece by piece; each batch is what one piece of it holds.
 * @param pieces gives the bytes anew at each call
 * @throws {@link DocumentError}, and so do the batches; nothing comes before it unless the document changes meanwhile
 */
export async function readLong(
  beginning: Uint8Array,
  pieces: () => AsyncIterable<Uint8Array>,
  input: DocumentInput,
  limits: DocumentLimits
): Promise<ReadDocument<AsyncGenerator<ReadItem[]>>> {
  const syntax = refusing(input, () => syntaxOrThrow(beginning, input))
  const encoding = syntax === 'json' ? 'utf-8' : encodingOf(beginning, input.contentType)
  const texts = () => decodePieces(pieces(), encoding)
  try {
    if (syntax === 'json') {
      const outline = await outlineOf(texts(), LISTS, PATHS, limits)
      const format = formatOf('json', outline)
      const files = new Files(format, outline, input)
      return { about: files.about, items: longJson(texts, outline, files, input, limits) }
    }
    const scan = new HtmlScan(limits, () => {})
    for await (const text of texts()) scan.write(text)
    scan.end()
    const format = formatOf('html', scan)
    const files = new Files(format, scan, input, scan.base)
    return { about: files.about, items: longHtml(texts, files, input, limits) }
  } catch (error) {
    throw refusal(input, error)
  }
}

async function* longJson(
  texts: () => AsyncIterable<string>,
  outline: JsonOutline,
  files: Files,
  input: DocumentInput,
  limits: DocumentLimits
): AsyncGenerator<ReadItem[]> {
  if (files.chosen.length === 0) return
  const groups = new Map(files.chosen.map(list => [list.key, list.group]))
  try {
    for await (const entries of readEntries(texts(), LISTS, new Set(groups.keys()), outline, limits)) {
      const items: ReadItem[] = []
      for (const { entry, key, group } of entries) files.add(entry, group ?? groups.get(key), items)
      yield items
    }
    const rest: ReadItem[] = []
    files.end(rest)
    yield rest
  } catch (error) {
    throw refusal(input, error)
  }
}

async function* longHtml(
  texts: () => AsyncIterable<string>,
  files: Files,
  input: DocumentInput,
  limits: DocumentLimits
): AsyncGenerator<ReadItem[]> {
  if (files.chosen.length === 0) return
  let items: ReadItem[] = []
  const scan = new HtmlScan(limits, ({ attributes }) => {
    if (leadsToFile(attributes.href)) files.add(attributes, undefined, items)
  })
  try {
    for await (const text of texts()) {
      scan.write(text)
      yield items
      items = []
    }
    scan.end()
    files.end(items)
    yield items
  } catch (error) {
    throw refusal(input, error)
  }
}

/** Turns the entries of one document into packages. */
class Files {
  readonly about: About
  /** None of a quarantined project, whose files must not be offered (PEP 792). */
  readonly chosen: readonly ChosenList[]
  readonly #format: DocumentFormat
  readonly #context: EntryContext
  readonly #seen = new Map<string, Package>()
  #flaws = 0

  constructor(
    format: DocumentFormat,
    outline: Outline,
    { project, name, url }: DocumentInput,
    base?: string
  ) {
    const objection = format.objection(outline)
    if (objection !== undefined) throw new Refusal(objection)
    const about = format.about(outline)
    const other = about.name !== undefined && normalizeName(about.name) !== project
    if (other) throw new Refusal(`it is the document of ${JSON.stringify(about.name)}, not of ${project}`)
    this.#format = format
    this.about = about
    this.chosen = about.status === 'quarantined' ? [] : format.choose(outline)
    this.#context = {
      project,
      // PEP 691 has the normalised name there, which says less than the listing.
      name: about.name === undefined || about.name === project ? name : about.name,
      url: redactUrl(url),
      base: base !== undefined && URL.canParse(base, url) ? new URL(base, url).href : url
    }
  }

  /** Adds the package of an entry to `items`, or what is wrong with it. */
  add(entry: unknown, group: string | undefined, items: ReadItem[]): void {
    if (!isEntry(entry)) {
      this.#report({ filename: undefined, why: 'its entry is no object' }, items)
      return
    }
    const described = this.#format.file(entry, group)
    const found = packageOf(described, this.#context, flaw => this.#report(flaw, items))
    if ('why' in found) {
      this.#report(found, items)
      return
    }
    const seen = this.#seen.get(found.filename)
    if (seen === undefined) {
      if (this.#seen.size < MAX_REMEMBERED) this.#seen.set(found.filename, found)
      items.push(found)
    } else if (!isDeepStrictEqual(seen, found))
      this.#report({ filename: found.filename, why: 'it is listed twice, and not the same' }, items)
  }

  /** Tells how many flaws there were that were not told one by one. */
  end(items: ReadItem[]): void {
    const more = this.#flaws - MAX_RECORDS
    if (more > 0)
      items.push(new RecordError(this.#context.url, undefined, `${more} more have something wrong`))
  }

  #report({ filename, why }: Flaw, items: ReadItem[]): void {
    if (++this.#flaws <= MAX_RECORDS) items.push(new RecordError(this.#context.url, filename, why))
  }
}

function syntaxOrThrow(beginning: Uint8Array, { contentType }: DocumentInput): 'json' | 'html' {
  const syntax = syntaxOf(beginning, contentType)
  if (syntax !== undefined) return syntax
  throw new Refusal(beginning.length === 0 ? 'it is empty' : 'it is neither JSON nor HTML')
}

function formatOf(syntax: 'json' | 'html', outline: Outline): DocumentFormat {
  const format = FORMATS[syntax].find(candidate => candidate.recognises(outline))
  if (format !== undefined) return format
  if (syntax === 'json') throw new Refusal('it is JSON, but lists no files')
  const title = String(outline.value('title')).replace(/\s+/g, ' ').slice(0, 100)
  throw new Refusal(
    `it is a web page${title === '' ? '' : ` with the title ${JSON.stringify(title)}`}, not one of an index: ` +
      `${outline.count('files')} of its ${outline.count('links')} links lead to files`
  )
}

/** Why a document is not read. */
class Refusal extends Error {}

function refusing<T>(input: DocumentInput, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw refusal(input, error)
  }
}

/** Wraps what makes a document unreadable; errors of the system and those that are wrapped stay as they are. */
function refusal({ url }: DocumentInput, error: unknown): unknown {
  if (error instanceof MillraceError || !(error instanceof Error) || 'code' in error) return error
  if (error instanceof Refusal || error instanceof JsonLimitError || error instanceof HtmlLimitError)
    return new DocumentError(redactUrl(url), error.message)
  // The parser's own words quote the document.
  return new DocumentError(redactUrl(url), 'it is not valid JSON', error)
}
