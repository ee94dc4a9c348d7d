/**
 * The bytes of a document as text, in pieces that do not hold the event loop.
 */
import { setImmediate } from 'node:timers/promises'
import type { Body } from '../../http/body.js'

/** Bytes of a piece: at the slowest that stream-json reads, 16 MB/s, that is 4 ms. */
const PIECE_BYTES = 64 * 1024

/** The bytes of a body in pieces; may be read more than once until the body is discarded. */
export async function* piecesOf(body: Body): AsyncGenerator<Uint8Array> {
  if (body.data === undefined) {
    yield* body.stream() as AsyncIterable<Uint8Array>
    return
  }
  for (let start = 0; start < body.data.length; start += PIECE_BYTES) {
    // Reading a file lets others have their turn between pieces; a buffer would not.
    if (start > 0) await setImmediate()
    yield body.data.subarray(start, start + PIECE_BYTES)
  }
}

/** Decodes pieces as they come; what is not valid in the encoding becomes U+FFFD, and a byte-order mark is dropped. */
export async function* decodePieces(
  pieces: AsyncIterable<Uint8Array>,
  encoding: string
): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding)
  for await (const piece of pieces) {
    const text = decoder.decode(piece, { stream: true })
    if (text !== '') yield text
  }
  const rest = decoder.decode()
  if (rest !== '') yield rest
}

/** The beginning of a body: enough to tell what it is. */
export async function beginningOf(body: Body): Promise<Uint8Array> {
  for await (const piece of piecesOf(body)) return piece
  return new Uint8Array()
}

const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d, 0x0c])

/** Tells JSON from HTML by the first character, which no header can belie; `undefined` where it is neither. */
export function syntaxOf(
  beginning: Uint8Array,
  contentType: string | undefined
): 'json' | 'html' | undefined {
  let index = 0
  if (beginning[0] === 0xef && beginning[1] === 0xbb && beginning[2] === 0xbf) index = 3
  while (index < beginning.length && BLANKS.has(beginning[index] as number)) index++
  const first = beginning[index]
  if (first === 0x7b || first === 0x5b) return 'json'
  if (first === 0x3c) return 'html'
  // A page may begin with text; UTF-16 begins with its mark.
  return first !== undefined && /^text\/html\b|[+/.]html\b/i.test(contentType ?? '') ? 'html' : undefined
}

const CHARSET = /charset\s*=\s*["']?\s*([\w.:-]+)/i

/**
 * The encoding of a page: a byte-order mark, the header, or a `<meta>` near the beginning, in this order; else UTF-8.
 * @see https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
 */
export function encodingOf(beginning: Uint8Array, contentType: string | undefined): string {
  if (beginning[0] === 0xff && beginning[1] === 0xfe) return 'utf-16le'
  if (beginning[0] === 0xfe && beginning[1] === 0xff) return 'utf-16be'
  if (beginning[0] === 0xef && beginning[1] === 0xbb && beginning[2] === 0xbf) return 'utf-8'
  const stated = CHARSET.exec(contentType ?? '')?.[1]
  if (stated !== undefined && isEncoding(stated)) return stated
  const head = Buffer.from(beginning.subarray(0, 1024)).toString('latin1')
  for (const [tag] of head.matchAll(/<meta\s[^>]*>/gi)) {
    const inside = CHARSET.exec(tag)?.[1]
    // Who can read the tag cannot be reading UTF-16.
    if (inside !== undefined && isEncoding(inside)) return /^utf-?16/i.test(inside) ? 'utf-8' : inside
  }
  return 'utf-8'
}

function isEncoding(label: string): boolean {
  try {
    new TextDecoder(label)
    return true
  } catch {
    return false
  }
}
