import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Body } from '../../../lib/http/body.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function open(t: Test): DirectoryStore {
  return new DirectoryStore(join(t.testdir(), 'store'))
}

/** A body in a file, in `folder`. */
function inFile(folder: string, data: Buffer, digests = { sha256: sha256(data) }): Body {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${sha256(data).slice(0, 8)}.tmp`)
  writeFileSync(path, data)
  return new Body({ path, size: data.length }, digests)
}

function pathOf(store: DirectoryStore, digest: string): string {
  return join(store.directory, 'sha256', digest.slice(0, 2), digest.slice(2))
}

const other = Buffer.from('other')

t.test('bad options', async t => {
  t.throws(() => new DirectoryStore(''), { code: 'ERR_MILLRACE_OPTION', option: 'store' })
})

for (const size of [0, 1, 200_000]) {
  const data = Buffer.alloc(size, 'x')
  const digest = sha256(data)
  for (const where of ['memory', 'own file system', 'another file system'] as const) {
    t.test(`${size} bytes from ${where}`, async t => {
      const store = open(t)
      const elsewhere = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-'))
      t.teardown(() => rmSync(elsewhere, { recursive: true }))
      const body =
        where === 'memory'
          ? new Body(data)
          : inFile(where === 'own file system' ? store.temporaryDirectory : elsewhere, data)
      t.strictSame(await store.put(body, { sha256: digest.toUpperCase() }), {
        sha256: digest,
        size,
        reused: false
      })
      t.strictSame(readFileSync(pathOf(store, digest)), data)
      t.equal(await store.size(digest), size)
      t.strictSame(await buffer(store.createReadStream(digest)), data)
      await body.discard()
      t.strictSame(await store.put(new Body(data)), { sha256: digest, size, reused: true })
      t.strictSame(readdirSync(store.temporaryDirectory), [])
      t.strictSame(readdirSync(elsewhere), [])
      const listed = []
      for await (const file of store.list()) listed.push(file)
      t.strictSame(listed, [{ sha256: digest, size, writtenMs: statSync(pathOf(store, digest)).mtimeMs }])
    })
  }
}

t.test('what is put is forced to the disk, and so is its name', async t => {
  const store = open(t)
  const handle = await openFile(t.testdirName, 'r')
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  const { sync } = prototype
  let syncs = 0
  prototype.sync = async function (this: unknown) {
    syncs++
    return await sync.call(this)
  }
  t.teardown(() => {
    prototype.sync = sync
  })
  await store.put(new Body(other))
  t.equal(
    syncs,
    5,
    'the file, its folder, that of all such folders as it was and with this one, and the store'
  )
  rmSync(pathOf(store, sha256(other)))
  await store.put(inFile(store.temporaryDirectory, other))
  t.equal(syncs, 7)
})

t.test('a body that is not what it must be leaves nothing', async t => {
  const store = open(t)
  const wanted = sha256(other)
  const wrong = Buffer.from('wrong')
  for (const body of [new Body(wrong), inFile(store.temporaryDirectory, wrong)]) {
    await t.rejects(store.put(body, { sha256: wanted, url: 'https://x.example/f' }), {
      code: 'ERR_MILLRACE_DIGEST',
      url: 'https://x.example/f',
      expected: wanted,
      found: sha256(wrong)
    })
    await body.discard()
  }
  await t.rejects(store.put(new Body(wrong), { sha256: wanted }), { code: 'ERR_MILLRACE_DIGEST' })
  // What was counted when it was fetched is not what is in the file now.
  await t.rejects(store.put(new Body(wrong, { sha256: wanted })), { code: 'ERR_MILLRACE_DIGEST' })
  t.equal(await store.size(wanted), undefined)
  t.strictSame(readdirSync(store.temporaryDirectory), [])
})

t.test('a store that cannot be written or read says where', async t => {
  const store = new DirectoryStore(join(t.testdir({ file: 'x' }), 'file'))
  const digest = sha256(other)
  const error = { code: 'ERR_MILLRACE_STORE', cause: { code: 'ENOTDIR' } }
  await t.rejects(store.size(digest), { ...error, path: pathOf(store, digest) })
  await t.rejects(store.delete(digest), error)
  await t.rejects(store.clean(), { ...error, path: store.temporaryDirectory })
  await t.rejects(store.list().next(), error)

  const filled = new DirectoryStore(t.testdir({ tmp: {}, sha256: 'no folder' }))
  filled.size = async () => undefined
  await t.rejects(filled.put(new Body(other)), { code: 'ERR_MILLRACE_STORE', path: pathOf(filled, digest) })
  rmSync(join(filled.directory, 'sha256'))
  t.match(await filled.put(new Body(other)), { reused: false }, 'a failure is not remembered')
})

t.test('a file that cannot be put in its place leaves nothing', async t => {
  const store = open(t)
  const digest = sha256(other)
  mkdirSync(join(pathOf(store, digest), 'in the way'), { recursive: true })
  await t.rejects(store.put(new Body(other)), { code: 'ERR_MILLRACE_STORE', path: pathOf(store, digest) })
  t.strictSame(readdirSync(store.temporaryDirectory), [])
  const body = inFile(store.temporaryDirectory, other)
  await t.rejects(store.put(body), { code: 'ERR_MILLRACE_STORE' })
  t.ok(existsSync(body.path as string), 'what the body has stays its own')
  await body.discard()
})
