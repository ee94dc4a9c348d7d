import { createHash } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners, once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as immediate } from 'node:timers/promises'
import { chain } from 'stream-chain'
import t from 'tap'
import { madeUpName } from '../../benchmarks/index-server/made-up.js'
import type { IndexServer } from '../../benchmarks/index-server/server.js'
import { collector } from '../../bin/heap.js'
import { sharedDispatcher } from '../../lib/http/agent.js'
import type { Downloaded } from '../../lib/http/body.js'
import { Origins } from '../../lib/http/origins.js'
import { Downloader } from '../../streams/downloader.js'
import {
  bytesOf,
  directoryOf,
  downloadAll,
  filesIn,
  leavesNothing,
  ownAgent,
  plainServer,
  settled,
  until
} from '../helpers/http.js'
import { indexServer } from '../helpers/index-server.js'

interface Item {
  readonly url: string
  readonly id: number
}

function documents({ indexUrl }: IndexServer, count: number): Item[] {
  return Array.from({ length: count }, (_, id) => ({ url: `${indexUrl}${madeUpName(id)}/`, id }))
}

function connectionsOf(server: IndexServer): { readonly connections: number } {
  return {
    get connections() {
      return server.stats().connections
    }
  }
}

const ITEMS = 1000

t.test('in flight, by the count of the server', async t => {
  const server = await indexServer(t, { projects: ITEMS, files: 2, fileBytes: 'none' })
  // Long enough for all to arrive before the first is answered.
  for (const [concurrency, latencyMs] of [
    [1, 0],
    [8, 4],
    [64, 40]
  ] as const) {
    for (const size of [0, 1, 2, ITEMS]) {
      t.test(`${concurrency} at once, ${size} items`, async t => {
        const dispatcher = ownAgent(t)
        server.reset()
        server.latencyMs = latencyMs
        const items = documents(server, size)
        const { downloaded, skipped } = await downloadAll(t, items, { dispatcher, concurrency })
        t.strictSame(
          downloaded.map(({ item }) => item.id).toSorted((a, b) => a - b),
          [...items.keys()]
        )
        t.ok(downloaded.every(({ body, item }) => String(body.data).includes(madeUpName(item.id))))
        t.ok(downloaded.every(({ attempts, status }) => attempts === 1 && status === 200))
        t.strictSame(skipped, [])
        const { requests, peakInFlight, inFlight, peakConnections } = server.stats()
        t.strictSame(
          { requests, peakInFlight, inFlight },
          { requests: size, peakInFlight: Math.min(size, concurrency), inFlight: 0 }
        )
        // undici lets a connection rest for a turn of the event loop, and takes another meanwhile.
        t.ok(peakConnections <= 2 * concurrency, `${peakConnections} connections`)
        await leavesNothing(t, dispatcher, connectionsOf(server))
      })
    }
  }
})

t.test('with no reader, concurrency + highWaterMark - 1 are fetched and no more', async t => {
  const server = await indexServer(t, { projects: 300, files: 1, fileBytes: 'none' })
  for (const [concurrency, highWaterMark] of [
    [1, 1],
    [8, 4],
    [64, 16]
  ] as const) {
    const bound = concurrency + highWaterMark - 1
    const dispatcher = ownAgent(t)
    server.reset()
    const downloader = new Downloader<Item>({ dispatcher, concurrency, highWaterMark })
    for (const item of documents(server, 300)) downloader.write(item)
    await until(() => downloader.readableLength === bound)
    await settled()
    t.strictSame([server.stats().requests, downloader.inFlight, downloader.readableLength], [bound, 0, bound])
    downloader.destroy()
    await once(downloader, 'close')
    await leavesNothing(t, dispatcher, connectionsOf(server))
  }
})

t.test('with a slow reader, never more than concurrency + highWaterMark - 1 in flight or unread', async t => {
  const server = await indexServer(t, { projects: 300, files: 1, fileBytes: 'none', latencyMs: 4 })
  const dispatcher = ownAgent(t)
  const downloader = new Downloader<Item>({ dispatcher, concurrency: 8, highWaterMark: 4 })
  let held = 0
  let read = 0
  const slow = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(_item, _encoding, done) {
      held = Math.max(held, server.stats().requests - read)
      read++
      settled(5).then(() => done())
    }
  })
  await pipeline(Readable.from(documents(server, 300)), downloader, slow)
  t.equal(read, 300)
  // One more is with the reader, and one in its buffer.
  t.ok(held <= 8 + 4 - 1 + 2, `${held} fetched and not read`)
  t.equal(server.stats().peakInFlight, 8)
  await leavesNothing(t, dispatcher, connectionsOf(server))
})

t.test('bytes in flight', async t => {
  const bytes = 256 * 1024
  const server = await indexServer(t, { projects: 40, files: 1, fileBytes: bytes, latencyMs: 25 })
  const files = Array.from({ length: 40 }, (_, at) => {
    const [file] = server.index.project(madeUpName(at))?.files ?? []
    return {
      url: `${server.origin}${file?.path}`,
      digests: { sha256: String(file?.hashes.sha256) },
      size: bytes
    }
  })
  for (const [maxBytesInFlight, peak] of [
    [4 * bytes, 4],
    [4 * bytes + 1, 4],
    [5 * bytes - 1, 4],
    [bytes - 1, 1],
    [100 * bytes, 16]
  ] as const) {
    const dispatcher = ownAgent(t)
    server.reset()
    let held = 0
    const downloader = new Downloader({ dispatcher, maxBytesInFlight, concurrency: 16 })
    for await (const _ of Readable.from(files).compose(downloader))
      held = Math.max(held, downloader.bytesInFlight)
    t.equal(server.stats().peakInFlight, peak, `${peak} of ${bytes} within ${maxBytesInFlight}`)
    t.ok(held <= Math.max(maxBytesInFlight, bytes))
    t.equal(downloader.bytesInFlight, 0)
    t.equal(downloader.bytes, 40 * bytes)
    await leavesNothing(t, dispatcher, connectionsOf(server))
  }
})

t.test('bytes that no item states count once they are known', async t => {
  const open: (() => void)[] = []
  const server = await plainServer(t, (request, response) => {
    const known = request.url?.startsWith('/known')
    response.writeHead(200, known ? { 'content-length': 1000 } : {})
    response.write('x'.repeat(10))
    open.push(() => response.end('x'.repeat(990)))
  })
  const dispatcher = ownAgent(t)
  const downloader = new Downloader({ dispatcher, maxBytesInFlight: 1500, concurrency: 8 })
  downloader.resume()
  downloader.write({ url: `${server.origin}/known` })
  await until(() => downloader.bytesInFlight === 1000)
  downloader.write({ url: `${server.origin}/chunked` })
  await until(() => downloader.bytesInFlight === 1010)
  downloader.write({ url: `${server.origin}/chunked`, size: 491 })
  await settled()
  t.equal(downloader.inFlight, 2, 'one byte too many')
  open[0]?.()
  await until(() => downloader.inFlight === 2 && open.length === 3)
  t.equal(downloader.bytesInFlight, 10 + 491)
  downloader.on('skip', () => {})
  downloader.destroy()
  await once(downloader, 'close')
  t.equal(downloader.bytesInFlight, 0)
})

t.test('large bodies go to files, and memory stays as it is', async t => {
  const megabyte = Buffer.alloc(1024 * 1024, 'x')
  const size = 100 * megabyte.length
  const server = await plainServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': size })
    let sent = 0
    const send = () => {
      while (sent < size && !response.destroyed) {
        sent += megabyte.length
        if (!response.write(megabyte)) return response.once('drain', send)
      }
      return response.end()
    }
    send()
  })
  const dispatcher = ownAgent(t)
  const directory = directoryOf(t)
  const hash = createHash('sha256')
  for (let at = 0; at < 100; at++) hash.update(megabyte)
  const sha256 = hash.digest('hex')
  const downloader = new Downloader({ dispatcher, directory, concurrency: 4 })
  const collect = collector()
  const memory = () => {
    collect()
    return process.memoryUsage().arrayBuffers
  }
  const before = memory()
  let peak = 0
  const sampling = setInterval(() => {
    peak = Math.max(peak, memory() - before)
  }, 50)
  t.teardown(() => clearInterval(sampling))
  const items = Array.from({ length: 4 }, (_, at) => ({
    url: `${server.origin}/${at}`,
    size,
    digests: { sha256 }
  }))
  await pipeline(items, downloader, async (source: AsyncIterable<Downloaded<object>>) => {
    for await (const { body } of source) {
      t.strictSame([body.size, body.data, body.digests], [size, undefined, { sha256 }])
      await body.discard()
    }
  })
  // 400 MB passed. What is left of them without the garbage are the chunks on their way to the disk.
  t.ok(peak < 60e6, `${Math.round(peak / 1e6)} MB at the most`)
  t.equal(downloader.bytes, 4 * size)
  await leavesNothing(t, dispatcher, server)
})

t.test('a size that is none does not count and is not checked', async t => {
  const server = await indexServer(t, { projects: 3 })
  const dispatcher = ownAgent(t)
  for (const size of [Number.NaN, -5, 1.5, Number.POSITIVE_INFINITY]) {
    const items = documents(server, 3).map(item => ({ ...item, size }))
    const { downloaded } = await downloadAll(t, items, { dispatcher, maxBytesInFlight: 1, maxRetries: 0 })
    t.equal(downloaded.length, 3)
  }
})

t.test('what needs no download passes by', async t => {
  const server = await indexServer(t, { projects: 10 })
  const dispatcher = ownAgent(t)
  const asked: number[] = []
  const { downloaded } = await downloadAll(t, documents(server, 10), {
    dispatcher,
    concurrency: 1,
    needed: ({ id }) => {
      asked.push(id)
      return id % 2 === 0
    }
  })
  t.equal(downloaded.length, 10)
  t.equal(server.stats().requests, 5)
  t.strictSame(asked, [...Array(10).keys()])
  for (const { item, attempts, status, headers, body, url } of downloaded) {
    if (item.id % 2 === 0) t.strictSame([attempts, status], [1, 200])
    else t.strictSame([attempts, status, headers, body.size, url], [0, 0, {}, 0, item.url])
  }
})

t.test('while another item has all the bytes, one that needs none still passes', async t => {
  let answer = () => {}
  const server = await plainServer(t, (_request, response) => {
    answer = () => response.end('x'.repeat(100))
  })
  const dispatcher = ownAgent(t)
  const downloader = new Downloader<{ url: string; size: number; skip: boolean }>({
    dispatcher,
    maxBytesInFlight: 10,
    needed: ({ skip }) => !skip
  })
  downloader.write({ url: server.origin, size: 100, skip: false })
  downloader.write({ url: server.origin, size: 100, skip: true })
  await until(() => downloader.readableLength === 1)
  t.equal(downloader.read().attempts, 0)
  await until(() => server.requests.length === 1)
  answer()
  await until(() => downloader.readableLength === 1)
  t.equal(downloader.read().attempts, 1)
  downloader.destroy()
})

t.test('what cannot be had is skipped, and the rest goes on', async t => {
  const server = await indexServer(t, { projects: 50, files: 1, fileBytes: 'none' })
  const dispatcher = ownAgent(t)
  server.fault({ match: /0000[0-4]3/, kind: 'status', status: 404 })
  const { downloaded, skipped, retried } = await downloadAll(t, documents(server, 50), { dispatcher })
  t.equal(downloaded.length, 45)
  t.equal(skipped.length, 5)
  t.strictSame(retried, [])
  for (const { item, error } of skipped) {
    t.match(error, { code: 'ERR_MILLRACE_STATUS', statusCode: 404, attempts: 1, url: item.url })
    t.type((error as { durationMs?: number }).durationMs, 'number')
  }
  await leavesNothing(t, dispatcher, connectionsOf(server))
})

t.test("where nobody listens to 'skip', the first failure destroys it and ends the others", async t => {
  const server = await indexServer(t, { projects: 100, files: 1, fileBytes: 'none' })
  const dispatcher = ownAgent(t)
  server.fault({ match: '000050', kind: 'status', status: 410 })
  server.fault({ match: /0000(49|51|52|53)/, kind: 'stalled' })
  const downloader = new Downloader<Item>({ dispatcher, concurrency: 8 })
  await t.rejects(
    pipeline(
      Readable.from(documents(server, 100)),
      downloader,
      new Writable({ objectMode: true, write: (_item, _encoding, done) => done() })
    ),
    { code: 'ERR_MILLRACE_STATUS', statusCode: 410, attempts: 1 }
  )
  t.equal(downloader.inFlight, 0)
  t.equal(downloader.closed, true)
  await until(() => server.stats().inFlight === 0)
  t.ok(server.stats().requests < 100)
  await leavesNothing(t, dispatcher, connectionsOf(server))
})

t.test('abort', async t => {
  t.test('ends what is in flight, what waits for a connection and what waits to try again', async t => {
    const server = await indexServer(t, { projects: 100, files: 1, fileBytes: 'none' })
    server.fault({ match: '000003', kind: 'status', status: 500 })
    server.fault({ match: /00000[12]/, kind: 'stalled' })
    const dispatcher = ownAgent(t, { connections: 3 })
    const controller = new AbortController()
    const downloader = new Downloader<Item>({
      dispatcher,
      concurrency: 8,
      minTimeout: 60_000,
      maxTimeout: 60_000,
      retryAfter: false,
      signal: controller.signal
    })
    downloader.on('skip', () => t.fail('an abort is no failure of an item'))
    for (const id of [3, 1, 2, 1, 2, 1, 2, 1, 2, 1]) downloader.write(documents(server, 4)[id])
    await once(downloader, 'retry')
    await until(() => server.stats().inFlight === 3)
    t.equal(downloader.inFlight, 8)
    const startedAt = performance.now()
    controller.abort()
    await t.rejects(once(downloader, 'end'), { name: 'AbortError', code: 'ABORT_ERR' })
    await until(() => downloader.closed)
    t.equal(downloader.inFlight, 0)
    t.ok(performance.now() - startedAt < 1000, 'at once')
    await until(() => server.stats().inFlight === 0)
    await leavesNothing(t, dispatcher, connectionsOf(server))
    t.equal(server.stats().requests, 4, 'what waited for a connection was never sent')
  })

  t.test('removes the files of bodies that came half, and of those that nobody read', async t => {
    const directory = directoryOf(t)
    const server = await plainServer(t, (request, response) => {
      response.writeHead(200, { 'content-length': 3_000_000 })
      response.write(Buffer.alloc(2_000_000))
      if (request.url === '/whole') response.end(Buffer.alloc(1_000_000))
    })
    const dispatcher = ownAgent(t)
    const downloader = new Downloader({ dispatcher, directory, maxMemoryBytes: 1000 })
    for (const path of ['/whole', '/whole', '/half', '/half']) downloader.write({ url: server.origin + path })
    await until(() => downloader.readableLength === 2 && downloader.bytes >= 10_000_000)
    await until(() => filesIn(directory).length === 4)
    downloader.destroy()
    await once(downloader, 'close')
    t.strictSame(filesIn(directory), [], 'gone when it is closed')
    await leavesNothing(t, dispatcher, server)
  })

  t.test('a thousand downloads leave no listener on the signal', async t => {
    const server = await indexServer(t, { projects: ITEMS, files: 1, fileBytes: 'none' })
    const { signal } = new AbortController()
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    t.teardown(() => process.off('warning', onWarning))
    const dispatcher = ownAgent(t)
    const { downloaded } = await downloadAll(t, documents(server, ITEMS), {
      dispatcher,
      signal,
      concurrency: 64
    })
    t.equal(downloaded.length, ITEMS)
    await until(() => getEventListeners(signal, 'abort').length === 0)
    await immediate()
    t.strictSame(warnings, [])
  })
})

t.test("a 'retry' is told before it happens, and counted", async t => {
  const server = await indexServer(t, { projects: 3 })
  const dispatcher = ownAgent(t)
  server.fault({ kind: 'status', status: 502, times: 2 })
  const downloader = new Downloader<Item>({ dispatcher, minTimeout: 1, maxTimeout: 2 })
  const seen: unknown[] = []
  downloader.on('retry', (item, error, delayMs) => seen.push([item.id, error.code, delayMs <= 2]))
  downloader.end(documents(server, 1)[0])
  const [{ attempts }] = await downloader.toArray()
  t.strictSame(seen, [
    [0, 'ERR_MILLRACE_STATUS', true],
    [0, 'ERR_MILLRACE_STATUS', true]
  ])
  t.equal(downloader.retries, 2)
  t.equal(attempts, 3)
})

t.test("what a caller's function throws destroys it, whatever listens", async t => {
  const server = await indexServer(t, { projects: 3 })
  const failure = new Error('of the caller')
  const fail = () => {
    throw failure
  }
  for (const options of [{ needed: fail }, { authorization: fail }]) {
    const dispatcher = ownAgent(t)
    const downloader = new Downloader<Item>({ dispatcher, ...options })
    downloader.on('skip', () => t.fail('not an item that failed'))
    for (const item of documents(server, 3)) downloader.write(item)
    await t.rejects(once(downloader, 'end'), failure)
    await leavesNothing(t, dispatcher, connectionsOf(server))
  }
  server.fault({ kind: 'status', status: 500, times: 1 })
  const downloader = new Downloader<Item>({ dispatcher: ownAgent(t), minTimeout: 1 })
  downloader.on('retry', fail)
  downloader.write(documents(server, 1)[0])
  await t.rejects(once(downloader, 'end'), failure)
})

t.test('works on anything with a url', async t => {
  const cities = new Map(
    ['Bern', 'Oslo', 'Rome'].map(name => [
      `/weather?city=${name}`,
      JSON.stringify({ name, degrees: name.length })
    ])
  )
  const server = await plainServer(t, (request, response) => response.end(cities.get(String(request.url))))
  const stations = [...cities.keys()].map(path => ({ url: server.origin + path, station: path }))
  const expected = [...cities.values()].toSorted()

  t.test('in a pipeline', async t => {
    const found: string[] = []
    await pipeline(
      stations,
      new Downloader({ dispatcher: ownAgent(t) }),
      async (source: AsyncIterable<Downloaded<{ station: string }>>) => {
        for await (const { item, body } of source) {
          t.ok(cities.has(item.station))
          found.push(String(body.data))
        }
      }
    )
    t.strictSame(found.toSorted(), expected)
  })

  t.test("in stream-chain's chain", async t => {
    const line = chain([
      new Downloader({ dispatcher: ownAgent(t) }),
      async ({ body }: Downloaded<unknown>) => String(await body.buffer())
    ])
    const found: string[] = []
    line.on('data', text => found.push(text))
    for (const station of stations) line.write(station)
    line.end()
    await once(line, 'end')
    t.strictSame(found.toSorted(), expected)
  })

  t.test('with for await', async t => {
    const downloader = new Downloader({ dispatcher: ownAgent(t) })
    for (const station of stations) downloader.write(station)
    downloader.end()
    const found: string[] = []
    for await (const { body } of downloader as AsyncIterable<Downloaded<unknown>>)
      found.push(String(await bytesOf(body)))
    t.strictSame(found.toSorted(), expected)
  })
})

t.test('two downloaders with the same origins are one client', async t => {
  const server = await indexServer(t, { projects: 40, files: 1, fileBytes: 'none', latencyMs: 2 })
  const origins = new Origins({ concurrencyPerOrigin: 3 })
  const dispatcher = ownAgent(t)
  const items = documents(server, 40)
  const both = [items.slice(0, 20), items.slice(20)].map(half =>
    downloadAll(t, half, { dispatcher, origins })
  )
  const counts = (await Promise.all(both)).map(({ downloaded }) => downloaded.length)
  t.strictSame(counts, [20, 20])
  t.equal(server.stats().peakInFlight, 3)
})

t.test('headers are sent in lower case once, ours first', async t => {
  const server = await plainServer(t, (_request, response) => response.end())
  const dispatcher = ownAgent(t)
  const headers = { Accept: 'text/html', 'User-Agent': 'mine' }
  const item = { url: server.origin, headers: { ACCEPT: 'text/plain' } }
  await downloadAll(t, [item], { dispatcher, headers })
  await downloadAll(t, [{ url: server.origin }], { dispatcher })
  const [first, second] = server.requests
  t.match(first?.headers, {
    accept: 'text/plain',
    'user-agent': 'mine',
    'accept-encoding': 'gzip, br, deflate'
  })
  t.match(second?.headers['user-agent'], /^millrace\/\d+\.\d+\.\d+/)
})

t.test('digests that are asked for are computed, beside those that are checked', async t => {
  const server = await plainServer(t, (_request, response) => response.end('abc'))
  const hex = (algorithm: string) => createHash(algorithm).update('abc').digest('hex')
  const items = [{ url: server.origin }, { url: server.origin, digests: { md5: hex('md5').toUpperCase() } }]
  const { downloaded } = await downloadAll(t, items, {
    dispatcher: ownAgent(t),
    digest: 'sha256',
    concurrency: 1
  })
  t.strictSame(downloaded[0]?.body.digests, { sha256: hex('sha256') })
  t.strictSame(downloaded[1]?.body.digests, { md5: hex('md5'), sha256: hex('sha256') })
})

t.test('options', async t => {
  const wrong = {
    concurrency: 0,
    highWaterMark: 0,
    maxMemoryBytes: -1,
    maxBytesInFlight: 0,
    maxBodyBytes: 1.5,
    maxRedirects: -1,
    headersTimeout: -1,
    bodyTimeout: 2 ** 31,
    deadlineMs: 0,
    minBytesPerSecond: Number.NaN,
    maxRetries: -1,
    minTimeout: -1,
    maxTimeout: -1,
    timeoutFactor: 0.5
  }
  for (const [option, value] of Object.entries(wrong))
    t.throws(() => new Downloader({ [option]: value }), { code: 'ERR_MILLRACE_OPTION', option })
  t.throws(() => new Downloader({ origins: { concurrencyPerOrigin: 0 } }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'concurrencyPerOrigin'
  })
  t.throws(() => new Downloader({ origins: { requestsPerSecond: 0 } }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'requestsPerSecond'
  })
  const names = [
    ...Object.keys(wrong),
    'needed',
    'dispatcher',
    'headers',
    'authorization',
    'origins',
    'digest',
    'directory',
    'allowPrivate',
    'retryAfter',
    'signal'
  ]
  const downloader = new Downloader(Object.fromEntries(names.map(name => [name, undefined])))
  t.equal(downloader.concurrency, 16)
  t.equal(downloader.readableHighWaterMark, 16)
  t.strictSame([downloader.bytes, downloader.retries, downloader.bytesInFlight], [0, 0, 0])
  // @ts-expect-error no such option
  new Downloader({ parallel: 3 })
})

t.test(
  'where none is given, the dispatcher of the process is used, and keeps private addresses out if told',
  async t => {
    const server = await indexServer(t, { projects: 1 })
    const downloader = new Downloader<Item>({ allowPrivate: false })
    downloader.end(documents(server, 1)[0])
    await t.rejects(downloader.toArray(), { code: 'ERR_MILLRACE_URL', attempts: 0 })
    const open = new Downloader<Item>()
    open.end(documents(server, 1)[0])
    t.equal((await open.toArray()).length, 1)
    t.equal(sharedDispatcher(true), sharedDispatcher(true))
    t.not(sharedDispatcher(true), sharedDispatcher(false))
  }
)

t.test('a concurrency that finds itself', async t => {
  const server = await indexServer(t, { projects: 500, files: 1, fileBytes: 'none', latencyMs: 2 })
  const downloader = new Downloader<Item>({ dispatcher: ownAgent(t), concurrency: 'auto' })
  t.equal(downloader.concurrency, 16)
  const told: number[] = []
  const channel = 'millrace:download:concurrency'
  const listener = (message: unknown) => told.push((message as { concurrency: number }).concurrency)
  subscribe(channel, listener)
  t.teardown(() => unsubscribe(channel, listener))
  const limits: number[] = []
  downloader.on('concurrency', limit => limits.push(limit))
  let count = 0
  await pipeline(Readable.from(documents(server, 500)), downloader, async source => {
    for await (const _ of source) count++
  })
  t.equal(count, 500)
  t.equal(downloader.concurrency, limits.at(-1) ?? 16)
  t.strictSame(told, limits)
  t.ok(server.stats().peakInFlight <= Math.max(16, ...limits))
})

t.test('a concurrency that finds itself backs off', async t => {
  let requests = 0
  const server = await plainServer(t, (_request, response) => {
    response.statusCode = requests++ === 0 ? 503 : 404
    response.end()
  })
  const downloader = new Downloader({
    dispatcher: ownAgent(t),
    concurrency: 'auto',
    minTimeout: 0,
    maxRetries: 1
  })
  downloader.on('skip', () => {}).resume()
  downloader.end({ url: `${server.origin}/again` })
  await once(downloader, 'end')
  t.equal(requests, 2)
  t.equal(downloader.concurrency, 9, 'once for the 503, and not for the 404')

  const last = new Downloader({ dispatcher: ownAgent(t), concurrency: 'auto', maxRetries: 0 })
  last.on('skip', () => {}).resume()
  requests = 0
  last.end({ url: `${server.origin}/last` })
  await once(last, 'end')
  t.equal(last.concurrency, 9, 'also for one that is not made again')
})
