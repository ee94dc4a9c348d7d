import { randomBytes } from 'node:crypto'
import zlib from 'node:zlib'
import t, { type Test } from 'tap'
import { BodySink, type BodySinkOptions } from '../../../lib/http/body-sink.js'
import { Spool } from '../../../lib/http/spool.js'
import { bytesOf, directoryOf, filesIn, settled } from '../../helpers/http.js'

const url = 'https://example.org/x'
const MIB = 1024 * 1024

function make(t: Test, changes: Partial<BodySinkOptions & { maxBodyBytes: number }> = {}) {
  const { maxMemoryBytes = MIB, maxBodyBytes = 2 ** 33 } = changes
  const spool = new Spool({
    url,
    algorithms: new Map(),
    maxMemoryBytes,
    maxBodyBytes,
    directory: directoryOf(t)
  })
  const sink = new BodySink(spool, {
    url,
    maxMemoryBytes,
    minBytesPerSecond: 0,
    deadline: Number.POSITIVE_INFINITY,
    ...changes
  })
  return { spool, sink }
}

/** Writes as `exchange` does. */
async function feed(sink: BodySink, bytes: Buffer, chunk = 16 * 1024): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunk) {
    if (!sink.write(bytes.subarray(at, at + chunk))) await sink.drained()
  }
  await sink.end()
}

const CODERS: Record<string, (data: Buffer) => Buffer> = {
  gzip: data => zlib.gzipSync(data),
  'x-gzip': data => zlib.gzipSync(data),
  ' GZIP ': data => zlib.gzipSync(data),
  deflate: data => zlib.deflateSync(data),
  br: data => zlib.brotliCompressSync(data, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } }),
  identity: data => data,
  '': data => data
}

for (const [encoding, code] of Object.entries(CODERS)) {
  t.test(`as ${JSON.stringify(encoding)}`, async t => {
    const bodies = {
      empty: Buffer.alloc(0),
      small: Buffer.from('abc'),
      'small, but not coded': Buffer.from('x'.repeat(100_000)),
      'beyond what one call gives': Buffer.alloc(3 * MIB, 'abc'),
      'beyond what one call takes': randomBytes(200_000),
      large: randomBytes(5 * MIB)
    }
    for (const [name, body] of Object.entries(bodies)) {
      const { spool, sink } = make(t, { encoding })
      await feed(sink, code(body))
      const found = await bytesOf(await spool.finish())
      t.ok(found.equals(body), name)
    }
    t.strictSame(filesIn(directoryOf(t)), [])
  })
}

t.test('with nothing in memory at all', async t => {
  for (const encoding of ['gzip', 'identity']) {
    const body = Buffer.from('some text')
    const { spool, sink } = make(t, { encoding, maxMemoryBytes: 0 })
    await feed(sink, encoding === 'gzip' ? zlib.gzipSync(body) : body)
    const finished = await spool.finish()
    t.not(finished.path, undefined)
    t.ok((await bytesOf(finished)).equals(body))
  }
})

t.test('a coding may be named where nothing is sent', async t => {
  const { spool, sink } = make(t, { encoding: 'gzip' })
  await sink.end()
  t.equal((await spool.finish()).size, 0)
})

t.test('a coding that is not known', async t => {
  for (const encoding of ['zstd', 'compress', 'gzip, br'])
    t.throws(() => make(t, { encoding }), { code: 'ERR_MILLRACE_ENCODING', url })
})

t.test('what cannot be decoded', async t => {
  for (const encoding of ['gzip', 'deflate', 'br']) {
    const code = CODERS[encoding] as (data: Buffer) => Buffer
    for (const [size, how] of [
      [5000, 'at once'],
      [400_000, 'as a stream']
    ] as const) {
      const coded = code(randomBytes(size))
      const spoilt = Buffer.concat([coded.subarray(0, 100), Buffer.alloc(coded.length - 100, 0xa5)])
      for (const [name, bytes] of [
        ['cut off', coded.subarray(0, coded.length - 50)],
        ['spoilt', spoilt],
        ['something else', Buffer.alloc(size, '{"a": 1}')]
      ] as const) {
        const { spool, sink } = make(t, { encoding })
        await t.rejects(
          feed(sink, bytes),
          { code: 'ERR_MILLRACE_ENCODING', url },
          `${encoding} ${name}, ${how}`
        )
        sink.destroy()
        await spool.discard()
      }
    }
  }
  t.strictSame(filesIn(directoryOf(t)), [])
})

t.test('an end before the end: what follows is passed over', async t => {
  for (const encoding of ['gzip', 'br']) {
    const body = randomBytes(400_000)
    const { spool, sink } = make(t, { encoding })
    await feed(
      sink,
      Buffer.concat([(CODERS[encoding] as (data: Buffer) => Buffer)(body), Buffer.alloc(200_000)])
    )
    t.ok((await bytesOf(await spool.finish())).equals(body), encoding)
  }
})

t.test('a bomb', async t => {
  // 80 MB of nothing in 350 KB, or in 80 bytes.
  const bomb = zlib.gzipSync(Buffer.alloc(80 * MIB), { level: 1 })
  const brotli = zlib.brotliCompressSync(Buffer.alloc(80 * MIB), {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 }
  })
  for (const [encoding, bytes] of [
    ['gzip', bomb],
    ['br', brotli]
  ] as const) {
    const { spool, sink } = make(t, { encoding })
    await t.rejects(feed(sink, bytes), { code: 'ERR_MILLRACE_ENCODING', message: /200-fold/ })
    t.ok(spool.received < 70 * MIB, `stopped after ${spool.received}`)
    sink.destroy()
    await spool.discard()
  }
  const { spool, sink } = make(t, { encoding: 'gzip', maxBodyBytes: 2 * MIB })
  await t.rejects(feed(sink, bomb), { code: 'ERR_MILLRACE_BODY_TOO_LARGE', maxBytes: 2 * MIB })
  sink.destroy()
  await spool.discard()
  t.strictSame(filesIn(directoryOf(t)), [])
})

t.test('when it was destroyed, the decoder writes no more', async t => {
  const { spool, sink } = make(t, { encoding: 'gzip', maxMemoryBytes: 1000 })
  const coded = zlib.gzipSync(randomBytes(3 * MIB))
  sink.write(coded)
  await sink.drained()
  sink.destroy()
  await spool.discard()
  const { received } = spool
  await t.rejects(Promise.resolve(sink.end()))
  t.equal(spool.received, received)
  t.strictSame(filesIn(directoryOf(t)), [])
  const early = make(t, { encoding: 'gzip' }).sink
  early.write(coded.subarray(0, 10))
  early.destroy()
})

t.test('nor a chunk that it had given out just then', async t => {
  let written = 0
  class Slow extends Spool {
    override get full(): boolean {
      return true
    }
    override write(): void {
      written++
    }
    override flushed(): Promise<void> {
      return new Promise(resolve =>
        settled().then(() => {
          resolve()
          // After the next chunk was read, and before it is written.
          queueMicrotask(() => sink.destroy())
        })
      )
    }
  }
  const spool = new Slow({
    url,
    algorithms: new Map(),
    maxMemoryBytes: 0,
    maxBodyBytes: 2 ** 33,
    directory: directoryOf(t)
  })
  const sink = new BodySink(spool, {
    url,
    encoding: 'gzip',
    maxMemoryBytes: 0,
    minBytesPerSecond: 0,
    deadline: Number.POSITIVE_INFINITY
  })
  sink.write(zlib.gzipSync(randomBytes(MIB)))
  // Node 20 gives that chunk all the same, Node 24 an error.
  await Promise.resolve(sink.end()).catch(error => t.equal(error.code, 'ERR_MILLRACE_ENCODING'))
  t.equal(written, 1)
})

t.test('bytes are told as they came', async t => {
  let bytes = 0
  const { sink } = make(t, { encoding: 'gzip', onBytes: more => (bytes += more) })
  const coded = zlib.gzipSync('x'.repeat(10_000))
  await feed(sink, coded)
  t.equal(bytes, coded.length)
})

t.test('pace and deadline', async t => {
  let now = 0
  t.intercept(performance, 'now', { value: () => now })

  t.test('a body that comes too slowly on the whole', async t => {
    now = 0
    const { sink } = make(t, { minBytesPerSecond: 100 })
    for (now = 0; now < 30_000; now += 1000) sink.write(Buffer.alloc(101))
    sink.write(Buffer.alloc(101))
    for (now = 31_000; now < 60_000; now += 1000) sink.write(Buffer.alloc(99))
    t.throws(() => sink.write(Buffer.alloc(99)), {
      code: 'ERR_MILLRACE_TIMEOUT',
      message: /99 bytes a second, where 100 are the least/
    })
  })

  t.test('the first window begins with the headers', async t => {
    now = 1_000_000
    const { sink } = make(t, { minBytesPerSecond: 1 })
    now += 29_999
    sink.write(Buffer.alloc(1))
    now += 2
    t.throws(() => sink.write(Buffer.alloc(1)), { code: 'ERR_MILLRACE_TIMEOUT' })
  })

  t.test('0 is no limit', async t => {
    now = 0
    const { sink } = make(t, { minBytesPerSecond: 0 })
    now = 1e9
    t.equal(sink.write(Buffer.alloc(1)), true)
  })

  t.test('the deadline', async t => {
    now = 0
    const { sink } = make(t, { deadline: 500 })
    now = 500
    sink.write(Buffer.alloc(1))
    now = 501
    t.throws(() => sink.write(Buffer.alloc(1)), { code: 'ERR_MILLRACE_TIMEOUT', message: /deadline/ })
  })
})
