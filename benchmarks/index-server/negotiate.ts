/** Chooses between what a client accepts and what the server has (RFC 9110, 12.5; PEP 691). */
import type { Format } from './documents.js'

const formatOf: Readonly<Record<string, Format>> = {
  'application/vnd.pypi.simple.v1+json': 'json',
  'application/vnd.pypi.simple.latest+json': 'json',
  'application/vnd.pypi.simple.v1+html': 'html',
  'application/vnd.pypi.simple.latest+html': 'html',
  'text/html': 'html',
  'text/*': 'html',
  '*/*': 'html'
}

/** The format with the highest q-value among those offered; the first of equals. `undefined` for none (406). */
export function chooseFormat(accept: string | undefined, offered: readonly Format[]): Format | undefined {
  let chosen: Format | undefined
  let best = 0
  for (const [type, q] of weighted(accept ?? '*/*')) {
    // An index with one format gives that one to a client that takes anything.
    const format = type === '*/*' && !offered.includes('html') ? 'json' : formatOf[type]
    if (format !== undefined && q > best && offered.includes(format)) {
      chosen = format
      best = q
    }
  }
  return chosen
}

/** Whether a client takes gzip. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false
  for (const [coding, q] of weighted(acceptEncoding)) if (coding === 'gzip' || coding === '*') return q > 0
  return false
}

function* weighted(header: string): Iterable<[string, number]> {
  for (const part of header.split(',')) {
    const [value = '', ...parameters] = part.split(';')
    const q = parameters.map(parameter => parameter.trim()).find(parameter => /^q=/i.test(parameter))
    yield [value.trim().toLowerCase(), q === undefined ? 1 : Number(q.slice(2))]
  }
}
