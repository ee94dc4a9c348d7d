/** Reads one member of a ZIP archive that is trusted: enough for the METADATA of a wheel of ours. */
import { inflateRawSync } from 'node:zlib'

const centralEntry = 0x02014b50
const endOfCentral = 0x06054b50

/**
 * The bytes of the first member whose name matches; `undefined` where none does.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16
 */
export function readZipEntry(archive: Buffer, name: RegExp): Buffer | undefined {
  let end = archive.length - 22
  while (end >= 0 && archive.readUInt32LE(end) !== endOfCentral) end--
  if (end < 0) return undefined
  let at = archive.readUInt32LE(end + 16)
  while (archive.readUInt32LE(at) === centralEntry) {
    const nameLength = archive.readUInt16LE(at + 28)
    if (name.test(archive.toString('utf8', at + 46, at + 46 + nameLength))) {
      const local = archive.readUInt32LE(at + 42)
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
      const data = archive.subarray(start, start + archive.readUInt32LE(at + 20))
      return archive.readUInt16LE(at + 10) === 0 ? Buffer.from(data) : inflateRawSync(data)
    }
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  return undefined
}
