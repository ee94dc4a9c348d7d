/**
 * Reads single entries of a ZIP archive of which any part can be had: from the directory at its end, and no more than
 * that and the entry. Made for archives by strangers: each size is checked before it is read, and what is not plain
 * (ZIP64, encryption, other methods than stored and deflated) is not read.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'

/** Gives bytes of the archive from `start` to just before `end`. */
export type ReadBytes = (start: number, end: number) => Promise<Buffer>

/** An entry of the archive's directory. */
export interface ZipEntry {
  readonly name: string
  readonly method: number
  readonly crc32: number
  readonly compressedSize: number
  readonly size: number
  /** Where its own header begins. */
  readonly offset: number
}

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const MAX_COMMENT_BYTES = 65_535
/** Of a directory. A wheel with ten thousand files has about one and a half million. */
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024
const ENCRYPTED = 1
const STORED = 0
const DEFLATED = 8

/** The entries of an archive of `size` bytes; `undefined` where it is none, or one that is not plain. */
export async function readZipDirectory(size: number, read: ReadBytes): Promise<ZipEntry[] | undefined> {
  const tailStart = Math.max(0, size - END_BYTES - MAX_COMMENT_BYTES)
  const tail = await read(tailStart, size)
  const at = findEnd(tail)
  if (at === undefined) return undefined
  const count = tail.readUInt16LE(at + 10)
  const bytes = tail.readUInt32LE(at + 12)
  const start = tail.readUInt32LE(at + 16)
  // 0xffff and 0xffffffff stand for numbers that are elsewhere (ZIP64), and fail here as well.
  if (bytes > MAX_DIRECTORY_BYTES || start + bytes > tailStart + at) return undefined
  return readEntries(await read(start, start + bytes), count)
}

/** The content of an entry; `undefined` where it is not what the directory says, or has more than `maxBytes`. */
export async function readZipEntry(
  { offset, compressedSize, size, method, crc32: expected }: ZipEntry,
  read: ReadBytes,
  maxBytes: number
): Promise<Buffer | undefined> {
  if (size > maxBytes || compressedSize > maxBytes) return undefined
  const header = await read(offset, offset + LOCAL_BYTES)
  if (header.length < LOCAL_BYTES || header.readUInt32LE(0) !== LOCAL_SIGNATURE) return undefined
  const start = offset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28)
  const content = await decode(await read(start, start + compressedSize), method, size)
  return content?.length === size && crc32(content) === expected ? content : undefined
}

/** Where the record at the end of the archive begins: the last one whose comment reaches to the last byte. */
function findEnd(tail: Buffer): number | undefined {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (
      tail.readUInt32LE(at) === END_SIGNATURE &&
      at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length
    )
      return at
  }
  return undefined
}

function readEntries(directory: Buffer, count: number): ZipEntry[] | undefined {
  const entries: ZipEntry[] = []
  for (let at = 0; entries.length < count; ) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE)
      return undefined
    const nameEnd = at + ENTRY_BYTES + directory.readUInt16LE(at + 28)
    const encrypted = (directory.readUInt16LE(at + 8) & ENCRYPTED) !== 0
    entries.push({
      name: directory.toString('utf8', at + ENTRY_BYTES, nameEnd),
      method: encrypted ? -1 : directory.readUInt16LE(at + 10),
      crc32: directory.readUInt32LE(at + 16),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42)
    })
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries
}

async function decode(data: Buffer, method: number, size: number): Promise<Buffer | undefined> {
  if (method === STORED) return data
  if (method !== DEFLATED) return undefined
  try {
    // One byte more, so that a content of no bytes has a limit, too.
    return (await promisify(inflateRaw)(data, { maxOutputLength: size + 1 })) as Buffer
  } catch {
    return undefined
  }
}
