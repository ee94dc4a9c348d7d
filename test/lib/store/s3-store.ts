import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { Body } from '../../../lib/http/body.js'
import { S3Store } from '../../../lib/store/s3-store.js'
import { startS3 } from '../../helpers/s3.js'

const MIB = 1024 * 1024
const large = Buffer.alloc(20 * MIB, 'a large one')
const digest = createHash('sha256').update(large).digest('hex')

t.test('bad locations', async t => {
  for (const location of [
    'no URL',
    's3:///prefix',
    'https://bucket.example/prefix',
    's3://key:secret@bucket/prefix',
    's3://bucket/prefix?acl=public',
    's3://bucket?path-style=maybe',
    's3://bucket?endpoint=127.0.0.1:9000'
  ])
    t.throws(() => new S3Store(location), { code: 'ERR_MILLRACE_OPTION', option: 'store' }, location)
})

t.test('where requests go', async t => {
  const at = async (location: string) => {
    const url = new URL(await new S3Store(location).presign('a'.repeat(64), 'x-1.tar.gz'))
    return `${url.origin}${url.pathname.slice(0, 20)}`
  }
  t.equal(
    await at('s3://bucket/a/b/?region=eu-west-1'),
    'https://bucket.s3.eu-west-1.amazonaws.com/a/b/sha256/aa/aaaaa'
  )
  t.equal(
    await at('s3://bucket?region=eu-west-1&path-style=true'),
    'https://s3.eu-west-1.amazonaws.com/bucket/sha256/aa/aa'
  )
  t.equal(await at('s3://bucket?endpoint=http://127.0.0.1:9'), 'http://127.0.0.1:9/bucket/sha256/aa/aa')
  await t.rejects(at('s3://bucket'), { code: 'ERR_MILLRACE_STORE' }, 'Amazon has no bucket outside a region')
  process.env.AWS_ENDPOINT_URL_S3 = 'http://127.0.0.2:9'
  t.teardown(() => {
    delete process.env.AWS_ENDPOINT_URL_S3
  })
  t.equal(await at('s3://bucket'), 'http://127.0.0.2:9/bucket/sha256/aa/aa')
})

t.test('an object is there when its last byte was checked', async t => {
  const s3 = await startS3(t)
  const store = new S3Store(s3.location)
  const seen: (number | undefined)[] = []
  const once = new Body(large, { sha256: digest })
  const { stream } = once
  once.stream = () => {
    const bytes = stream.call(once)
    bytes.once('close', () => void store.size(digest).then(size => seen.push(size)))
    return bytes
  }
  await store.put(once)
  t.strictSame(seen, [undefined])
  t.equal(await store.size(digest), large.length)
  t.equal(s3.requests.filter(request => request.includes('partNumber=')).length, 3)
  t.equal(s3.requests.filter(request => request.startsWith('POST')).length, 2)
})

t.test('a large one that is wrong never is an object, nor are its parts left', async t => {
  const s3 = await startS3(t)
  const store = new S3Store(s3.location)
  const wrong = new Body(Buffer.alloc(20 * MIB, 'x'), { sha256: digest })
  await t.rejects(store.put(wrong), { code: 'ERR_MILLRACE_DIGEST', expected: digest })
  t.equal(await store.size(digest), undefined)
  t.strictSame(s3.uploads(), [])
  t.equal(s3.requests.filter(request => request.startsWith('POST')).length, 1, 'completed by nobody')
})

t.test('a server that fails now and then', async t => {
  const s3 = await startS3(t)
  const store = new S3Store(s3.location)
  let requests = 0
  s3.fault = () => (++requests % 3 === 1 ? 503 : undefined)
  t.match(await store.put(new Body(large)), { reused: false })
  t.equal(Buffer.compare(await buffer(store.createReadStream(digest)), large), 0)
})

t.test('a connection that breaks while a file is read', async t => {
  const s3 = await startS3(t)
  const store = new S3Store(s3.location)
  await store.put(new Body(large))
  s3.requests.length = 0
  const read: Buffer[] = []
  let cuts = 0
  for await (const chunk of store.createReadStream(digest)) {
    read.push(chunk)
    if (cuts < 2 && Buffer.concat(read).length > (cuts + 1) * 4 * MIB) {
      cuts++
      s3.cut()
    }
  }
  t.equal(Buffer.compare(Buffer.concat(read), large), 0)
  t.equal(s3.requests.length, 3)
  // One that is gone meanwhile cannot be gone on with.
  const stream = store.createReadStream(digest)
  await t.rejects(
    async () => {
      for await (const _ of stream) {
        await rm(s3.pathOf(digest), { force: true })
        s3.fault = () => 'cut'
        s3.cut()
      }
    },
    { code: 'ERR_MILLRACE_STORE' }
  )
})

t.test('a bucket that is not there, and a key that is wrong', async t => {
  const s3 = await startS3(t)
  const { endpoint } = s3
  const store = new S3Store(`s3://nobodys/prefix?endpoint=${endpoint}`)
  const error = { code: 'ERR_MILLRACE_STORE', cause: { name: 'NoSuchBucket' } }
  await t.rejects(store.put(new Body(Buffer.from('x'))), {
    ...error,
    path: /^s3:\/\/nobodys\/prefix\/sha256\//
  })
  await t.rejects(buffer(store.createReadStream(digest)), error)
  await t.rejects(store.delete(digest), error)
  await t.rejects(store.list().next(), error)
  const { AWS_SECRET_ACCESS_KEY } = process.env
  process.env.AWS_SECRET_ACCESS_KEY = 'wrong'
  t.teardown(() => {
    process.env.AWS_SECRET_ACCESS_KEY = AWS_SECRET_ACCESS_KEY
  })
  const locked = new S3Store(`s3://packages/prefix?endpoint=${endpoint}`)
  await t.rejects(locked.size(digest), {
    code: 'ERR_MILLRACE_STORE',
    cause: { $metadata: { httpStatusCode: 403 } }
  })
  s3.fault = () => 403
  await t.rejects(locked.clean(), { code: 'ERR_MILLRACE_STORE' })
})

t.test('a URL that leads to a file for a while', async t => {
  const s3 = await startS3(t)
  const store = new S3Store(s3.location)
  const { sha256 } = await store.put(new Body(Buffer.from('0123456789')))
  const url = await store.presign(sha256, 'x-1.tar.gz')
  const answer = await fetch(url, { headers: { range: 'bytes=2-4' } })
  t.equal(answer.status, 206)
  t.equal(answer.headers.get('content-disposition'), 'attachment; filename="x-1.tar.gz"')
  t.equal(await answer.text(), '234')
  t.equal((await fetch(url.replace(/X-Amz-Signature=./, 'X-Amz-Signature=0'))).status, 403)
})

t.test('what a process that died left half-written', async t => {
  const s3 = await startS3(t)
  const store = new S3Store(s3.location)
  // One is begun and never ended, since nothing is answered any more.
  for (const _ of [1, 2, 3]) {
    s3.fault = request => (request.startsWith('POST') ? undefined : request.startsWith('HEAD') ? 404 : 403)
    await t.rejects(store.put(new Body(large)), { code: 'ERR_MILLRACE_STORE' })
  }
  s3.fault = () => undefined
  t.equal(s3.uploads().length, 3)
  t.equal(await store.clean(), 0, 'somebody may be at work')
  s3.backdate(2, Date.now() - 25 * 3_600_000)
  await mkdir(store.temporaryDirectory, { recursive: true })
  const temporary = join(store.temporaryDirectory, `${hostname()}.4194305.0a.tmp`)
  writeFileSync(temporary, '')
  const names = []
  for await (const name of store.leftovers()) names.push(name)
  t.equal(names.length, 3)
  t.equal(await store.clean(), 3)
  t.equal(s3.uploads().length, 1)
  t.notOk(existsSync(temporary))
})
