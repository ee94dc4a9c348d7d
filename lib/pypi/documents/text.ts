/**
 * The bytes of a document as text, in pieces that do not hold the event loop.
 */
import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { Body } from '../../http/body.js'

/**
 * Bytes of a piece. Of the worst that can be written, empty arrays or links, one takes some 5 ms; where a long entry ends,
 * 25.
 */
const PIECE_BYTES = 16 * 1024

/** Bytes read of a file at a time: for each, another thread is woken. */
const READ_BYTES = 256 * 1024

/**
 * The bytes of a body in pieces, each good until the next one is asked for, with a turn for others between them. May be
 * read more than once until the body is discarded.
 */
export async function* piecesOf(body: Body): AsyncGenerator<Uint8Array> {
  for await (const chunk of body.data === undefined ? readFile(String(body.path)) : [body.data]) {
    for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
      if (start > 0) await setImmediate()
      yield chunk.subarray(start, start + PIECE_BYTES)
    }
  }
}

/** Reads into one buffer: a stream's own, one for every read, pile up to some 60 MB before they are collected. */
async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path)
  try {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
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

const CHARSET = /charset\s*=\s*(?:["']\s*)?([\w.:-]+)/i

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
