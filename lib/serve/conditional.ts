/**
 * Conditions and ranges of requests.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13 and section 14
 */
import type { IncomingHttpHeaders } from 'node:http'

/** What tells one state of a resource from another. */
export interface Validators {
  /** With its quotes, and `W/` where it is weak. */
  readonly etag: string
  /** As an HTTP date. */
  readonly lastModified?: string | undefined
}

/** Whether the client has this state already, so that 304 is the answer. */
export function isUnchanged(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const tags = headers['if-none-match']
  // A date says less than a tag, and counts only where there is none.
  if (tags !== undefined) return tags.trim() === '*' || listsTag(tags, etag)
  const since = headers['if-modified-since']
  return since !== undefined && lastModified !== undefined && Date.parse(lastModified) <= Date.parse(since)
}

function listsTag(tags: string, etag: string): boolean {
  const wanted = etag.replace(/^W\//, '')
  return [...tags.matchAll(/"[^"]*"/g)].some(([tag]) => tag === wanted)
}

/** Bytes from `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The part that a request asks for of a body of `size` bytes. `undefined`: all of it; that is also the answer to more
 * than one range, to what is no range, and where `If-Range` names another state. `unsatisfiable`: no such bytes (416).
 */
export function rangeOf(
  headers: IncomingHttpHeaders,
  size: number,
  { etag, lastModified }: Validators
): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(headers.range?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  const condition = headers['if-range']
  // A weak tag is none that tells bytes apart.
  if (condition !== undefined && condition !== lastModified && (condition !== etag || etag.startsWith('W/')))
    return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  return start > end ? 'unsatisfiable' : { start, end }
}
