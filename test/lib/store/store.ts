/** What every store does, whatever it is made of. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Body } from '../../../lib/http/body.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import { openStore } from '../../../lib/store/open-store.js'
import type { ListedFile, Store } from '../../../lib/store/store.js'
import { startS3 } from '../../helpers/s3.js'

interface Opened {
  readonly store: Store
  /** The file with a stored file's bytes. */
  pathOf(sha256: string): string
}

const KINDS: Readonly<Record<string, (t: Test) => Promise<Opened>>> = {
  async folder(t) {
    const store = new DirectoryStore(join(t.testdir(), 'store'))
    return { store, pathOf: sha256 => store.pathOf(sha256) }
  },
  async bucket(t) {
    const { location, pathOf } = await startS3(t)
    return { store: await openStore(location), pathOf }
  }
}

const MIB = 1024 * 1024
const other = Buffer.from('other')

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

async function listed(store: Store): Promise<ListedFile[]> {
  const files = []
  for await (const file of store.list()) files.push(file)
  return files.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1))
}

for (const [kind, open] of Object.entries(KINDS)) {
  t.test(kind, async t => {
    /** A folder outside the store, and a body in a file of it. */
    const outside = (t: Test) => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-body-'))
      t.teardown(() => rmSync(folder, { recursive: true }))
      const inFile = (data: Buffer, digests = { sha256: sha256(data) }) => {
        const path = join(folder, `${sha256(data).slice(0, 8)}.tmp`)
        writeFileSync(path, data)
        return new Body({ path, size: data.length }, digests)
      }
      return { folder, inFile }
    }

    for (const size of [0, 1, 200_000, 8 * MIB, 8 * MIB + 1, 20 * MIB]) {
      t.test(`${size} bytes`, async t => {
        const { store } = await open(t)
        const { folder, inFile } = outside(t)
        const data = Buffer.alloc(size, 'millrace')
        const digest = sha256(data)
        const body = inFile(data)
        const before = Date.now()
        t.strictSame(await store.put(body, { sha256: digest.toUpperCase() }), {
          ...{ sha256: digest, size, reused: false }
        })
        await body.discard()
        t.strictSame(readdirSync(folder), [], 'the body is taken or discarded')
        t.equal(await store.size(digest), size)
        t.equal(Buffer.compare(await buffer(store.createReadStream(digest)), data), 0)
        t.strictSame(await store.put(new Body(data)), { sha256: digest, size, reused: true })
        const [file, ...more] = await listed(store)
        t.match(file, { sha256: digest, size })
        t.ok(Math.abs(Number(file?.writtenMs) - before) < 60_000)
        t.strictSame(more, [])
        await store.delete(digest)
        t.equal(await store.size(digest), undefined)
        t.strictSame(await listed(store), [])
        t.match(await store.put(new Body(data)), { reused: false })
      })
    }

    t.test('parts of a file', async t => {
      const { store } = await open(t)
      const { sha256 } = await store.put(new Body(Buffer.from('0123456789')))
      const part = async (options: { start?: number; end?: number; highWaterMark?: number }) =>
        String(await buffer(store.createReadStream(sha256, options)))
      t.equal(await part({ start: 2, end: 4 }), '234')
      t.equal(await part({ start: 0, end: 1 }), '01')
      t.equal(await part({ end: 3 }), '0123')
      t.equal(await part({ start: 9, end: 9, highWaterMark: 1 }), '9')
    })

    t.test('a reader that has seen enough', async t => {
      const { store } = await open(t)
      const { sha256 } = await store.put(new Body(Buffer.alloc(4 * MIB, 'x')))
      for await (const chunk of store.createReadStream(sha256)) {
        t.ok(chunk.length > 0)
        break
      }
    })

    t.test('what is not there', async t => {
      const { store } = await open(t)
      const digest = sha256(other)
      t.equal(await store.size(digest), undefined)
      await store.delete(digest)
      await t.rejects(buffer(store.createReadStream(digest)), { code: 'ENOENT' })
      t.strictSame(await listed(store), [])
      t.equal(await store.clean(), 0)
      for await (const name of store.leftovers()) t.fail(name)
    })

    t.test('a body that is not what it must be leaves nothing', async t => {
      const { store } = await open(t)
      const { inFile } = outside(t)
      for (const size of [5, 9 * MIB]) {
        const wrong = Buffer.alloc(size, 'wrong')
        const wanted = sha256(Buffer.alloc(size, 'right'))
        for (const body of [new Body(wrong), inFile(wrong)]) {
          await t.rejects(store.put(body, { sha256: wanted, url: 'https://x.example/f' }), {
            code: 'ERR_MILLRACE_DIGEST',
            url: 'https://x.example/f',
            expected: wanted,
            found: sha256(wrong)
          })
          await body.discard()
        }
        // What was counted when it was fetched is not what is there now.
        for (const body of [
          new Body(wrong, { sha256: wanted }),
          inFile(Buffer.alloc(size, 'x'), { sha256: wanted })
        ])
          if (kind === 'bucket' || body.path === undefined)
            await t.rejects(store.put(body), { code: 'ERR_MILLRACE_DIGEST', expected: wanted })
        t.equal(await store.size(wanted), undefined)
        t.strictSame(await listed(store), [])
      }
    })

    t.test('a file that was cut short is written anew', async t => {
      const { store, pathOf } = await open(t)
      const { sha256 } = await store.put(new Body(other))
      truncateSync(pathOf(sha256), 2)
      t.match(await store.put(new Body(other)), { reused: false })
      t.strictSame(await buffer(store.createReadStream(sha256)), other)
    })

    t.test('the same content many times at once', async t => {
      const { store } = await open(t)
      const results = await Promise.all(Array.from({ length: 20 }, () => store.put(new Body(other))))
      t.ok(results.every(({ size }) => size === other.length))
      t.equal((await listed(store)).length, 1)
    })

    t.test('no name from outside becomes a path', async t => {
      const { store } = await open(t)
      for (const name of ['../../etc/passwd', '', 'a'.repeat(63), 'A'.repeat(64), `${'a'.repeat(63)}/`]) {
        await t.rejects(store.size(name), { code: 'ERR_MILLRACE_STORE' })
        await t.rejects(store.delete(name), { code: 'ERR_MILLRACE_STORE' })
        t.throws(() => store.createReadStream(name), { code: 'ERR_MILLRACE_STORE' })
        await t.rejects(store.put(new Body(other, { sha256: name })), { code: 'ERR_MILLRACE_STORE' })
      }
    })

    t.test('what is there and is none of ours is not listed', async t => {
      const { store, pathOf } = await open(t)
      const { sha256 } = await store.put(new Body(other))
      const path = pathOf(sha256)
      mkdirSync(join(path, '../../zz'))
      writeFileSync(join(path, '../../zz', basename(path)), '')
      writeFileSync(path.replace(sha256.slice(2), 'note'), '')
      t.strictSame(
        (await listed(store)).map(file => file.sha256),
        [sha256]
      )
    })

    t.test('a temporary file that is gone', async t => {
      const { store } = await open(t)
      const gone = new Body({ path: join(t.testdirName, 'gone'), size: 5 })
      await t.rejects(store.put(gone), { code: 'ERR_MILLRACE_STORE', path: gone.path })
      const taken = new Body({ path: join(t.testdirName, 'gone'), size: 5 })
      taken.take()
      await t.rejects(store.put(taken), { code: 'ERR_MILLRACE_STORE' })
      const known = new Body({ path: join(t.testdirName, 'gone'), size: 5 }, { sha256: sha256(other) })
      await t.rejects(store.put(known), { code: 'ERR_MILLRACE_STORE', cause: { code: 'ENOENT' } })
      const large = new Body({ path: join(t.testdirName, 'gone'), size: 9 * MIB }, { sha256: sha256(other) })
      await t.rejects(store.put(large), { code: 'ERR_MILLRACE_STORE', cause: { code: 'ENOENT' } })
    })
  })
}
