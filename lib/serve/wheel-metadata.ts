/**
 * The METADATA of a wheel in the store: what `.metadata` beside the wheel is (PEP 658).
 */
import { normalizeName } from '../pypi/name.js'
import type { Store } from '../store/store.js'
import { type ReadBytes, readZipDirectory, readZipEntry } from './zip.js'

/** Largest that is read. The largest on PyPI are below 1 MiB. */
export const MAX_METADATA_BYTES = 16 * 1024 * 1024

/**
 * Reads METADATA from the wheel of `project` with this digest in the store; `undefined` where the file is no wheel,
 * or not one that can be read without doubt.
 */
export async function readWheelMetadata(
  store: Store,
  { sha256, size }: { readonly sha256: string; readonly size: number },
  project: string
): Promise<Buffer | undefined> {
  const read: ReadBytes = async (start, end) => {
    if (start >= end) return Buffer.alloc(0)
    const chunks: Buffer[] = []
    for await (const chunk of store.createReadStream(sha256, { start, end: end - 1 })) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  const entries = await readZipDirectory(size, read)
  const found = entries?.filter(({ name }) => isMetadataOf(name, project)) ?? []
  const [entry] = found
  // Of two, an installer might take the other one.
  return entry === undefined || found.length > 1
    ? undefined
    : await readZipEntry(entry, read, MAX_METADATA_BYTES)
}

/** `NAME-VERSION.dist-info/METADATA` */
function isMetadataOf(path: string, project: string): boolean {
  const [, name] = /^([^/]+)-[^/-]+\.dist-info\/METADATA$/.exec(path) ?? []
  return name !== undefined && normalizeName(name) === project
}
