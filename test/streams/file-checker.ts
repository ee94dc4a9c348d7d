import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import type { CheckedFile } from '../../lib/catalog/verification.js'
import { Body } from '../../lib/http/body.js'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import type { Store, StoredFile } from '../../lib/store/store.js'
import { FileChecker } from '../../streams/file-checker.js'

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

async function check(store: Store, files: readonly StoredFile[]): Promise<CheckedFile[]> {
  const checker = new FileChecker({ store })
  const events: CheckedFile[] = []
  const found: CheckedFile[] = []
  checker.on('checked', file => events.push(file))
  await pipeline(Readable.from(files), checker, async (source: AsyncIterable<CheckedFile>) => {
    for await (const file of source) found.push(file)
  })
  const byDigest = (a: CheckedFile, b: CheckedFile) => (a.sha256 < b.sha256 ? -1 : 1)
  if (JSON.stringify(events.sort(byDigest)) !== JSON.stringify(found.sort(byDigest)))
    throw new Error('events')
  return found
}

for (const count of [0, 1, 2, 50]) {
  t.test(`${count} files, each once`, async t => {
    const store = new DirectoryStore(t.testdir())
    const files: StoredFile[] = []
    for (let n = 0; n < count; n++) files.push(await store.put(new Body(Buffer.from(`file ${n}`))))
    const found = await check(
      store,
      files.map(({ sha256, size }) => ({ sha256, size }))
    )
    t.equal(found.length, count)
    for (const { size, read, wrong } of found) t.ok(size === read && wrong === undefined)
  })
}

t.test('a file of several pieces', async t => {
  const store = new DirectoryStore(t.testdir())
  const data = Buffer.alloc(5 * 1024 * 1024 + 7, 'x')
  await store.put(new Body(data))
  t.strictSame(await check(store, [{ sha256: sha256(data), size: data.length }]), [
    { sha256: sha256(data), size: data.length, read: data.length }
  ])
})

t.test('what is wrong with a file', async t => {
  const good = sha256('good')
  const bad = sha256('bad')
  const t1 = t.testdir({ sha256: { [bad.slice(0, 2)]: { [bad.slice(2)]: 'worse' } } })
  const store = new DirectoryStore(t1)
  await store.put(new Body(Buffer.from('good')))
  t.match(await check(store, [{ sha256: bad, size: 3 }]), [{ read: 5, wrong: { kind: 'damaged' } }])
  t.match(await check(store, [{ sha256: good, size: 3 }]), [{ read: 4, wrong: { kind: 'wrong-size' } }])
  t.match(await check(store, [{ sha256: sha256('none'), size: 3 }]), [
    { read: 0, wrong: { kind: 'missing' } }
  ])
  store.createReadStream = () =>
    new Readable({
      read() {
        this.push('goo')
        this.destroy(Object.assign(new Error('i/o error'), { code: 'EIO' }))
      }
    })
  t.match(await check(store, [{ sha256: good, size: 4 }]), [
    { wrong: { kind: 'unreadable', message: 'i/o error' } }
  ])
})

t.test('no more than `concurrency` are read at once, and destroyed it stops', async t => {
  const store = new DirectoryStore(t.testdir())
  let open = 0
  store.createReadStream = () => {
    open++
    return new Readable({
      read() {
        setImmediate(() => this.push('x'))
      },
      destroy(error, done) {
        open--
        done(error)
      }
    })
  }
  const checker = new FileChecker({ store, concurrency: 3, highWaterMark: 1 })
  checker.resume()
  for (let n = 0; n < 3; n++) checker.write({ sha256: sha256(`${n}`), size: 1 })
  checker.write({ sha256: sha256('waits'), size: 1 })
  await new Promise(setImmediate)
  t.equal(open, 3)
  t.equal(checker.inFlight, 3)
  await new Promise(done => checker.on('close', done).destroy())
  t.equal(open, 0)
})

t.test('bad options', async t => {
  const store = new DirectoryStore(t.testdir())
  t.throws(() => new FileChecker({ store, concurrency: 0 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'concurrency'
  })
  t.equal(new FileChecker({ store, concurrency: undefined }).concurrency, 4)
})
