/**
 * Taking up a body where it was cut off (RFC 9110, sections 13.1.5 and 14): what to ask with, and whether an answer
 * goes on where the first one ended.
 */
import type { Headers } from './exchange.js'

/**
 * What `If-Range` may carry for a body with these headers: a strong ETag, or, where there is no ETag at all, a date
 * that is a strong validator since the answer was made later. `undefined` where the body cannot be taken up.
 */
export function validator(headers: Headers): string | undefined {
  const { etag, date, 'last-modified': modified } = headers
  if (typeof etag === 'string') return etag.startsWith('"') ? etag : undefined
  if (typeof modified !== 'string' || typeof date !== 'string') return undefined
  return Date.parse(date) - Date.parse(modified) >= 1000 ? modified : undefined
}

/**
 * The size of the whole body, if a 206 with these headers brings all of it from byte `start` on, of the same version
 * that `wanted` is the validator of; `undefined` if not.
 */
export function continuation(headers: Headers, start: number, wanted: string): number | undefined {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(headers['content-range'])) ?? []
  if (Number(first) !== start || Number(last) + 1 !== Number(total)) return undefined
  // It may leave out what it had to say only once, but not say something else (RFC 9110, section 15.3.7).
  const { etag } = headers
  return etag === undefined || !wanted.startsWith('"') || etag === wanted ? Number(total) : undefined
}
