import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pyodideWheels } from '../../../benchmarks/index-server/recorded.js'
import { readZipDirectory, readZipEntry, type ZipEntry } from '../../../lib/serve/zip.js'
import { zipOf } from '../../helpers/zip.js'

const reader = (archive: Buffer) => async (start: number, end: number) => archive.subarray(start, end)
const directoryOf = (archive: Buffer) => readZipDirectory(archive.length, reader(archive))

t.test('real archives', async t => {
  const folder = pyodideWheels()
  for (const name of readdirSync(folder).filter(name => name.endsWith('.whl'))) {
    const archive = readFileSync(join(folder, name))
    const entries = (await directoryOf(archive)) as ZipEntry[]
    t.ok(entries.length > 3, name)
    for (const entry of entries) {
      const content = await readZipEntry(entry, reader(archive), 1e7)
      t.equal(content?.length, entry.size)
    }
  }
})

t.test('stored and deflated, with a comment behind', async t => {
  const files = { 'a/b.txt': 'text '.repeat(100), empty: '', ü: 'x' }
  for (const method of [0, 8]) {
    const archive = zipOf(files, { method, comment: 'PK\x05\x06 is no end'.padEnd(60, '.') })
    const entries = (await directoryOf(archive)) as ZipEntry[]
    t.strictSame(
      entries.map(({ name }) => name),
      Object.keys(files)
    )
    for (const entry of entries) {
      const content = await readZipEntry(entry, reader(archive), 1000)
      t.equal(content?.toString(), files[entry.name as keyof typeof files])
    }
    t.equal(await readZipEntry(entries[0] as ZipEntry, reader(archive), 499), undefined, 'too large')
  }
})

t.test('what is no plain archive', async t => {
  const archive = zipOf({ a: 'aaaa', b: 'bbbb' })
  const end = archive.length - 22
  const changed = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(archive)
    change(copy)
    return copy
  }
  for (const [what, wrong] of [
    ['nothing', Buffer.alloc(0)],
    ['too short', Buffer.alloc(21)],
    ['no end', Buffer.alloc(100)],
    ['a comment that is cut off', archive.subarray(0, -1)],
    ['a directory behind its end', changed(copy => copy.writeUInt32LE(end, end + 16))],
    ['ZIP64', changed(copy => copy.writeUInt32LE(0xffffffff, end + 16))],
    ['a directory too large', changed(copy => copy.writeUInt32LE(0x7fffffff, end + 12))],
    ['more entries than there are', changed(copy => copy.writeUInt16LE(3, end + 10))],
    ['an entry that is none', changed(copy => copy.writeUInt8(0, copy.readUInt32LE(end + 16)))]
  ] as const)
    t.equal(await directoryOf(wrong), undefined, what)
})

t.test('entries that are not what the directory says', async t => {
  const text = 'text '.repeat(10)
  const archive = zipOf({ a: text })
  const [entry] = (await directoryOf(archive)) as [ZipEntry]
  for (const [what, wrong] of [
    ['another size', { size: 49 }],
    ['a larger one', { size: 51 }],
    ['another checksum', { crc32: 1 }],
    ['no header there', { offset: 1 }],
    ['nothing there', { offset: archive.length - 5 }],
    ['another method', { method: 12 }],
    ['cut off', { compressedSize: 3 }]
  ] as const)
    t.equal(await readZipEntry({ ...entry, ...wrong }, reader(archive), 1000), undefined, what)
  const [encrypted] = (await directoryOf(zipOf({ a: text }, { flags: 1 }))) as [ZipEntry]
  t.equal(await readZipEntry(encrypted, reader(archive), 1000), undefined, 'encrypted')
  t.equal((await readZipEntry(entry, reader(archive), 1000))?.toString(), text)
})
