/** Seeded numbers and bytes: the same seed gives the same index, in any process. */

/** 32 bits that look random, from three numbers. */
export function mix(a: number, b = 0, c = 0): number {
  let h =
    Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^
    Math.imul(b + 0x7f4a7c15, 0xc2b2ae35) ^
    Math.imul(c + 1, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return (h ^ (h >>> 15)) >>> 0
}

/** A number from 0 to just under 1. */
export function fraction(a: number, b = 0, c = 0): number {
  return mix(a, b, c) / 0x1_0000_0000
}

/** Follows a normal distribution with mean 0 and deviation 1 (Box-Muller). */
export function normal(a: number, b = 0, c = 0): number {
  const radius = Math.sqrt(-2 * Math.log(1 - fraction(a, b, c)))
  return radius * Math.cos(2 * Math.PI * fraction(a ^ 0x5bd1e995, b, c))
}

/** 32 bits from a text (FNV-1a). */
export function hashText(text: string, seed = 0): number {
  let h = 0x811c9dc5 ^ seed
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193)
  return mix(h)
}

/** Four hex digits of every 16-bit number, and tails of digests, as bytes: a document of 24 files has 64 digests. */
const hex = Buffer.from(Array.from({ length: 0x10000 }, (_, at) => at.toString(16).padStart(4, '0')).join(''))
const tailLength = 52
const tails = Buffer.from(
  Array.from({ length: 4096 * 13 }, (_, at) => (mix(at, 99) & 0xffff).toString(16).padStart(4, '0')).join('')
)

/** Writes 64 hex digits that look like a digest. No two triples give the same, but for chance in 2^60. */
export function writeDigest(target: Uint8Array, offset: number, a: number, b: number, c: number): void {
  const first = mix(a, b, c)
  const second = mix(c, a ^ 0x55555555, b)
  const parts = [first >>> 16, first & 0xffff, second >>> 16]
  // By hand: for so few bytes copy() costs more than they do.
  for (let part = 0; part < 3; part++) {
    const from = (parts[part] as number) * 4
    for (let at = 0; at < 4; at++) target[offset + 4 * part + at] = hex[from + at] as number
  }
  const tail = (second & 0xfff) * tailLength
  for (let at = 0; at < tailLength; at++) target[offset + 12 + at] = tails[tail + at] as number
}

const digest = Buffer.alloc(64)

/** The same as text. */
export function madeUpDigest(a: number, b: number, c: number): string {
  writeDigest(digest, 0, a, b, c)
  return digest.toString('latin1')
}

/** Bytes that do not compress, shared by all made-up files. */
const pool = Buffer.allocUnsafe(1 << 20)
for (let at = 0; at < pool.length; at += 4) pool.writeUInt32LE(mix(at, 77), at)

/** The bytes `start` to just before `end` of a made-up file; no two keys give the same. */
export function* madeUpBytes(key: string, start: number, end: number): Iterable<Buffer> {
  const head = Buffer.from(`${key}\n`)
  if (start < head.length && start < end) yield head.subarray(start, Math.min(end, head.length))
  const shift = hashText(key) % pool.length
  for (let at = Math.max(start, head.length); at < end; ) {
    const from = (shift + at) % pool.length
    const chunk = pool.subarray(from, Math.min(pool.length, from + (end - at), from + 65_536))
    yield chunk
    at += chunk.length
  }
}
