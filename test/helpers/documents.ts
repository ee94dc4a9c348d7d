/** Reads documents in both ways, and makes small ones of each format that list the same files. */

import type { MillraceError } from '../../lib/errors.js'
import { Body, type Downloaded } from '../../lib/http/body.js'
import type { About } from '../../lib/pypi/documents/format.js'
import { type DocumentLimits, documentLimits } from '../../lib/pypi/documents/limits.js'
import { type DocumentInput, type ReadItem, readLong, readWhole } from '../../lib/pypi/documents/read.js'
import { normalizeName } from '../../lib/pypi/name.js'
import type { Package, Project } from '../../lib/pypi/package.js'

/** What a document holds, or why it was refused. */
export interface Outcome {
  readonly about?: About
  readonly packages: Package[]
  /** Messages of records, or of the refusal. */
  readonly errors: string[]
}

export function input(name = 'example', more: Partial<DocumentInput> = {}): DocumentInput {
  const project = normalizeName(name)
  return { url: `https://index.example/simple/${project}/`, contentType: undefined, project, name, ...more }
}

/** Of chunks below a hundred bytes only the first 400 are that small: each costs a turn of the event loop. */
export async function* chunks(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  let length = size
  for (let start = 0, count = 0; start < bytes.length; start += length) {
    if (++count > 400 && size < 100) length = 65_536
    yield bytes.subarray(start, start + length)
  }
}

function outcome(about: About, items: ReadItem[]): Outcome {
  const packages = items.filter((item): item is Package => !(item instanceof Error))
  return { about, packages, errors: items.flatMap(item => (item instanceof Error ? [item.message] : [])) }
}

/** Reads a document at once, however long it is. */
export function whole(
  content: string | Uint8Array,
  of: DocumentInput = input(),
  limits: Partial<DocumentLimits> = {}
): Outcome {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  try {
    const read = readWhole(bytes, of, documentLimits({ wholeBytes: bytes.length, ...limits }))
    if (read === undefined) throw new Error('not read at once')
    return outcome(read.about, read.items)
  } catch (error) {
    return { packages: [], errors: [(error as MillraceError).message] }
  }
}

/** Reads a document as the parser would: at once where that does not take too long. */
export async function readEither(content: Uint8Array, of: DocumentInput): Promise<Outcome> {
  const outcome = whole(content, of)
  return outcome.errors[0] === 'not read at once' ? long(content, of) : outcome
}

/** Reads a document piece by piece. */
export async function long(
  content: string | Uint8Array,
  of: DocumentInput = input(),
  limits: Partial<DocumentLimits> = {},
  size?: number
): Promise<Outcome> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const items: ReadItem[] = []
  try {
    const pieces = () => chunks(bytes, size)
    const read = await readLong(bytes.subarray(0, 65_536), pieces, of, documentLimits(limits))
    for await (const batch of read.items) items.push(...batch)
    return outcome(read.about, items)
  } catch (error) {
    return { packages: [], errors: [(error as MillraceError).message] }
  }
}

/** What the downloader would give. */
export function downloaded(
  content: string | Uint8Array | { path: string; size: number },
  project: Partial<Project> = {},
  more: Partial<Downloaded<Project>> = {}
): Downloaded<Project> {
  const name = project.name ?? 'example'
  const url = `https://index.example/simple/${normalizeName(name)}/`
  const body = new Body(
    typeof content === 'string'
      ? Buffer.from(content)
      : content instanceof Uint8Array
        ? Buffer.from(content)
        : content
  )
  const item = { project: normalizeName(name), name, url, ...project }
  return { item, url: item.url, status: 200, headers: {}, body, attempts: 1, ...more }
}

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0')

/** A page of PEP 691 with so many files. */
export function simpleDocument(files: number, name = 'example'): string {
  const list = Array.from({ length: files }, (_, at) => ({
    filename: `${name}-1.${at}.tar.gz`,
    url: `https://files.example/${hex(at, 4)}/${name}-1.${at}.tar.gz`,
    hashes: { sha256: hex(at, 64) },
    size: 1000 + at
  }))
  return JSON.stringify({ meta: { 'api-version': '1.1' }, name, files: list })
}
