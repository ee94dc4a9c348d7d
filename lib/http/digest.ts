/**
 * Which digest a body is checked against, and by which name Node knows it.
 */
import type { Digests } from '../pypi/package.js'

/**
 * Names in Python's hashlib and PEP 503 fragments → Node's, the one to check against first.
 * Not here: `blake2b_256`, which Node's OpenSSL cannot compute.
 */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['sha256', 'sha256'],
  ['sha512', 'sha512'],
  ['sha384', 'sha384'],
  ['sha3_512', 'sha3-512'],
  ['sha3_384', 'sha3-384'],
  ['sha3_256', 'sha3-256'],
  ['blake2b', 'blake2b512'],
  ['blake2s', 'blake2s256'],
  ['sha224', 'sha224'],
  ['sha1', 'sha1'],
  ['md5', 'md5']
])

/** A digest that a body must have. */
export interface ExpectedDigest {
  /** As the item names it. */
  readonly algorithm: string
  /** As `node:crypto` names it. */
  readonly nodeAlgorithm: string
  /** Lower-case hex. */
  readonly value: string
}

/** The strongest of `digests` that can be computed here; one is enough, and each costs a pass over the bytes. */
export function expectedDigest(digests: Digests | undefined): ExpectedDigest | undefined {
  if (digests === undefined) return undefined
  for (const [algorithm, nodeAlgorithm] of ALGORITHMS) {
    const value = digests[algorithm]
    if (typeof value === 'string' && value !== '')
      return { algorithm, nodeAlgorithm, value: value.toLowerCase() }
  }
  return undefined
}
