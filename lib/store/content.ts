/**
 * What all stores do alike: a file is known by its sha256, and is not kept where its bytes have another.
 */
import { createHash } from 'node:crypto'
import { DigestError, StoreError } from '../errors.js'
import type { Body } from '../http/body.js'
import type { PutOptions } from './store.js'

const SHA256 = /^[0-9a-f]{64}$/

/** Whether `text` is a sha256 as files are named by. */
export function isSha256(text: string): boolean {
  return SHA256.test(text)
}

/** `sha256/ab/cdef…`, with `/`. @throws {@link StoreError} for what is no sha256 */
export function nameOf(sha256: string): string {
  if (isSha256(sha256)) return `sha256/${sha256.slice(0, 2)}/${sha256.slice(2)}`
  throw new StoreError(JSON.stringify(sha256), 'name a file', new Error('no sha256'))
}

/**
 * The sha256 of a body, as it was counted when that was fetched, or by reading it; `place` is for errors.
 * @throws {@link DigestError} where it must be another, {@link StoreError} where the body cannot be read
 */
export async function digestOf(
  body: Body,
  { sha256: expected, url }: PutOptions,
  place: string
): Promise<string> {
  const found = body.digests.sha256 ?? (await readDigest(body, place))
  if (expected === undefined || expected.toLowerCase() === found) return found
  throw new DigestError(url ?? found, 'sha256', expected, found)
}

/** The bytes of a body. @throws {@link DigestError} after the last one, where they are not what they must be */
export async function* checkedBytes(body: Body, sha256: string): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash('sha256')
  for await (const chunk of body.stream()) {
    hash.update(chunk)
    yield chunk
  }
  const found = hash.digest('hex')
  if (found !== sha256) throw new DigestError(sha256, 'sha256', sha256, found)
}

async function readDigest(body: Body, place: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of body.stream()) hash.update(chunk)
  } catch (error) {
    throw new StoreError(body.path ?? place, 'read', error)
  }
  return hash.digest('hex')
}
