import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import zlib from 'node:zlib'
import t, { type Test } from 'tap'
import { createDispatcher } from '../../../lib/http/agent.js'
import type { Downloaded } from '../../../lib/http/body.js'
import {
  type Downloadable,
  type DownloadObserver,
  type DownloadSettings,
  download
} from '../../../lib/http/download.js'
import { statedSize } from '../../../lib/http/transfer.js'
import {
  bytesOf,
  directoryOf,
  downloadSettings,
  filesIn,
  ownAgent,
  type PlainServer,
  plainServer
} from '../../helpers/http.js'
import { CA, tlsServer } from '../../helpers/tls.js'

const never = new AbortController().signal

function get<T extends Downloadable>(
  t: Test,
  item: T,
  changes: Partial<DownloadSettings> = {},
  observer?: DownloadObserver
): Promise<Downloaded<T>> {
  return download(item, downloadSettings(t, changes), never, observer)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

t.test('an answer, and where it came from', async t => {
  const server = await plainServer(t, (_request, response) =>
    response.writeHead(201, { 'X-Extra': '1' }).end('abc')
  )
  const item = { url: `${server.origin.replace('//', '//me:secret@')}/a?b=c`, mine: 1 }
  const found = await get(t, item)
  t.equal(found.item, item)
  t.match(found, { url: `${server.origin}/a?b=c`, status: 201, attempts: 1, headers: { 'x-extra': '1' } })
  t.equal(String(await found.body.buffer()), 'abc')
  t.equal(server.requests[0]?.headers.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`)
})

t.test('statuses', async t => {
  const server = await plainServer(t, (request, response) => {
    const status = Number(request.url?.slice(1))
    response
      .writeHead(status, status === 429 ? ['retry-after', '0', 'retry-after', '5'] : [])
      .end(status === 204 || status === 304 ? undefined : 'text')
  })
  for (const status of [200, 203, 204, 304]) {
    const { body, status: found } = await get(t, { url: `${server.origin}/${status}` })
    t.strictSame([found, body.size], [status, status < 204 ? 4 : 0])
  }
  for (const status of [300, 400, 401, 403, 404, 410, 416, 451])
    await t.rejects(get(t, { url: `${server.origin}/${status}` }), {
      code: 'ERR_MILLRACE_STATUS',
      statusCode: status,
      attempts: 1
    })
  await t.rejects(get(t, { url: `${server.origin}/429` }), {
    statusCode: 429,
    retryAfter: '0',
    attempts: 4
  } as never)
})

t.test('redirects', async t => {
  const other = await plainServer(t, (_request, response) => response.end('other'))
  const server = await plainServer(t, (request, response) => {
    const url = new URL(String(request.url), 'http://x')
    const to = url.searchParams.get('to')
    const status = Number(url.searchParams.get('status') ?? 302)
    if (url.pathname === '/chain') {
      const left = Number(url.searchParams.get('left'))
      if (left > 0) response.writeHead(302, { location: `?left=${left - 1}` })
    } else if (url.pathname === '/twice')
      response.writeHead(302, [
        ['location', '/a'],
        ['location', '/b']
      ] as never)
    else if (url.pathname === '/none') response.writeHead(status)
    else if (to !== null) response.writeHead(status, { location: to })
    response.end('here')
  })
  const to = (target: string, status = 302) => ({
    url: `${server.origin}/?status=${status}&to=${encodeURIComponent(target)}`
  })

  t.test('are followed, relative ones and to another origin', async t => {
    for (const status of [301, 302, 303, 307, 308]) {
      const found = await get(t, to('/there', status))
      t.match(found, { url: `${server.origin}/there`, status: 200, attempts: 1 })
    }
    const found = await get(t, to(`${other.origin}/x#part`))
    t.equal(found.url, `${other.origin}/x#part`)
    t.equal(String(found.body.data), 'other')
  })

  t.test('so many and no more', async t => {
    t.equal((await get(t, { url: `${server.origin}/chain?left=10` })).status, 200)
    const { length } = server.requests
    await t.rejects(get(t, { url: `${server.origin}/chain?left=11` }), {
      code: 'ERR_MILLRACE_REDIRECT',
      attempts: 1,
      message: /more than 10 times/
    })
    t.equal(server.requests.length - length, 11)
    await t.rejects(get(t, { url: `${server.origin}/chain?left=1` }, { maxRedirects: 0 }), {
      code: 'ERR_MILLRACE_REDIRECT'
    })
  })

  t.test('that lead nowhere', async t => {
    await t.rejects(get(t, { url: `${server.origin}/none` }), {
      code: 'ERR_MILLRACE_REDIRECT',
      message: /without a place to go/
    })
    await t.rejects(get(t, { url: `${server.origin}/twice` }), { code: 'ERR_MILLRACE_REDIRECT' })
    await t.rejects(get(t, to('http://')), { code: 'ERR_MILLRACE_REDIRECT' })
    await t.rejects(get(t, to('file:///etc/passwd')), { code: 'ERR_MILLRACE_URL' })
  })

  t.test('from https to http are not followed, the other way they are', async t => {
    const secure = await tlsServer(t, {}, (request, response) => {
      if (request.url === '/down') response.writeHead(302, { location: `${server.origin}/` })
      if (request.url === '/along') response.writeHead(302, { location: '/secure' })
      response.end('secure')
    })
    const dispatcher = createDispatcher({ ca: CA })
    t.teardown(() => dispatcher.destroy())
    const { length } = server.requests
    await t.rejects(get(t, { url: `${secure.origin}/down` }, { dispatcher }), {
      code: 'ERR_MILLRACE_REDIRECT',
      attempts: 1,
      message: /from https to http/
    })
    t.equal(server.requests.length, length)
    t.equal((await get(t, { url: `${secure.origin}/along` }, { dispatcher })).url, `${secure.origin}/secure`)
    t.equal((await get(t, to(secure.origin), { dispatcher })).url, `${secure.origin}/`)
  })

  t.test('carry nothing private to another origin, and bring it back', async t => {
    const item = {
      ...to(`${other.origin}/x`),
      headers: {
        Authorization: 'Bearer secret',
        Cookie: 'secret',
        'Proxy-Authorization': 'secret',
        'X-Public': 'yes'
      }
    }
    const own = to(`${other.origin}/y`)
    own.url = own.url.replace('//', '//me:secret@')
    for (const one of [item, own]) {
      await get(t, one)
      const [sent, carried] = [server.requests.at(-1), other.requests.at(-1)]
      t.notMatch(JSON.stringify(carried?.rawHeaders), /secret/)
      t.match(sent?.headers.authorization, /./)
    }
    t.equal(other.requests.at(-2)?.headers['x-public'], 'yes')
    // Also those that every request has.
    await get(t, to(`${other.origin}/z`), { headers: { authorization: 'Bearer secret', cookie: 'secret' } })
    t.notMatch(JSON.stringify(other.requests.at(-1)?.rawHeaders), /secret/)
    await get(t, { ...to(`${server.origin}/back`), headers: { cookie: 'kept' } })
    t.equal(server.requests.at(-1)?.headers.cookie, 'kept')
  })

  t.test('get the credentials of their own origin', async t => {
    await get(t, to(`${other.origin}/x`), {
      authorization: origin => (origin === other.origin ? 'Bearer other' : 'Bearer first')
    })
    t.equal(server.requests.at(-1)?.headers.authorization, 'Bearer first')
    t.equal(other.requests.at(-1)?.headers.authorization, 'Bearer other')
    await get(t, to(other.origin.replace('//', '//a%20b:c%@')))
    t.equal(other.requests.at(-1)?.headers.authorization, `Basic ${Buffer.from('a b:c%').toString('base64')}`)
  })

  t.test('to a private address, where those are not allowed', async t => {
    // The first address is only looked at where the URL has it; a dispatcher that checks is another matter.
    const settings = { allowPrivate: false }
    await t.rejects(get(t, { url: server.origin }, settings), { code: 'ERR_MILLRACE_URL', attempts: 0 })
  })
})

/** Answers with a body, or the rest of it, in the way that a test wants. */
interface Served {
  readonly body: Buffer
  readonly etag: string | undefined
  /** Where the connection is cut, for each attempt; `undefined` for not at all. */
  readonly cuts: (number | undefined)[]
}

async function ranged(
  t: Test,
  served: Served,
  listener?: (request: IncomingMessage, response: ServerResponse, attempt: number) => boolean
): Promise<PlainServer> {
  let attempt = 0
  const answer: RequestListener = (request, response) => {
    const cut = served.cuts[attempt++]
    if (listener?.(request, response, attempt)) return
    const { body, etag } = served
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN)
    const headers: Record<string, string | number> = etag === undefined ? {} : { etag }
    const resumes = from < body.length && request.headers['if-range'] === etag
    const start = resumes ? from : 0
    if (resumes) headers['content-range'] = `bytes ${start}-${body.length - 1}/${body.length}`
    response.writeHead(resumes ? 206 : 200, { ...headers, 'content-length': body.length - start })
    const end = cut ?? body.length
    response.write(body.subarray(start, end), () => {
      if (cut === undefined) response.end()
      else setImmediate(() => response.destroy())
    })
  }
  return plainServer(t, answer)
}

t.test('a body that was cut off', async t => {
  const body = randomBytes(300_000)
  const promised = { size: body.length, digests: { sha256: sha256(body) } }

  for (const maxMemoryBytes of [1024 * 1024, 1000]) {
    t.test(`is gone on with, ${maxMemoryBytes === 1000 ? 'in a file' : 'in memory'}`, async t => {
      for (const more of [promised, {}]) {
        const server = await ranged(t, { body, etag: '"1"', cuts: [100_000, 200_000, undefined] })
        const retries: string[] = []
        const found = await get(
          t,
          { url: server.origin, ...more },
          { maxMemoryBytes },
          { onRetry: error => retries.push(error.code) }
        )
        t.ok((await bytesOf(found.body)).equals(body))
        t.strictSame([found.attempts, found.status], [3, 206])
        t.strictSame(retries, ['ERR_MILLRACE_NETWORK', 'ERR_MILLRACE_NETWORK'])
        const [first, second, third] = server.requests.map(({ headers }) => headers)
        t.equal(first?.range, undefined)
        t.match(second?.range, /^bytes=\d+-$/)
        t.equal(second?.['if-range'], '"1"')
        const start = (header: string | undefined) => Number(header?.slice(6, -1))
        t.ok(start(second?.range) > 0 && start(second?.range) <= 100_000)
        t.ok(start(third?.range) > start(second?.range) && start(third?.range) <= 200_000)
        t.strictSame(filesIn(directoryOf(t)), [])
      }
    })
  }

  t.test('is begun anew where it changed meanwhile', async t => {
    const changed = randomBytes(250_000)
    const served = { body, etag: '"1"', cuts: [100_000] }
    const server = await ranged(t, served, (_request, _response, attempt) => {
      if (attempt === 2) Object.assign(served, { body: changed, etag: '"2"' })
      return false
    })
    const found = await get(t, { url: server.origin })
    t.ok((await found.body.buffer()).equals(changed))
    t.equal(server.requests[1]?.headers['if-range'], '"1"')
  })

  t.test('is begun anew where the server takes up no ranges, or gives no validator', async t => {
    for (const etag of [undefined, 'W/"1"']) {
      const server = await ranged(t, { body, etag, cuts: [100_000] })
      const found = await get(t, { url: server.origin, ...promised })
      t.ok((await found.body.buffer()).equals(body))
      t.equal(server.requests[1]?.headers.range, undefined)
    }
    const server = await ranged(t, { body, etag: '"1"', cuts: [100_000] }, request => {
      delete request.headers.range
      return false
    })
    const found = await get(t, { url: server.origin, ...promised })
    t.ok((await found.body.buffer()).equals(body))
    t.equal(found.status, 200)
  })

  t.test('is begun anew where the answer does not go on with it', async t => {
    const wrong: [string, number, Record<string, string | number>][] = [
      ['416', 416, { 'content-range': `bytes */${body.length}` }],
      ['from elsewhere', 206, { 'content-range': `bytes 5-${body.length - 1}/${body.length}` }],
      ['not to the end', 206, {}],
      ['no range at all', 206, {}],
      ['another version', 206, { etag: '"2"' }]
    ]
    for (const [name, status, headers] of wrong) {
      const server = await ranged(t, { body, etag: '"1"', cuts: [100_000] }, (request, response, attempt) => {
        if (attempt !== 2) return false
        const from = Number(request.headers.range?.slice(6, -1))
        const range =
          name === 'not to the end'
            ? `bytes ${from}-${from + 9}/${body.length}`
            : `bytes ${from}-${body.length - 1}/${body.length}`
        const all = name === 'no range at all' ? headers : { 'content-range': range, ...headers }
        response.writeHead(status, all).end(status === 416 ? '' : body.subarray(from))
        return true
      })
      for (const maxMemoryBytes of [1024 * 1024]) {
        const found = await get(t, { url: server.origin }, { maxMemoryBytes })
        t.ok((await bytesOf(found.body)).equals(body), name)
        t.equal(found.attempts, 3)
        t.equal(server.requests[2]?.headers.range, undefined)
      }
    }
  })

  t.test('a part that ends before it should is not taken for the whole', async t => {
    const server = await ranged(t, { body, etag: '"1"', cuts: [100_000] }, (request, response, attempt) => {
      if (attempt !== 2) return false
      const from = Number(request.headers.range?.slice(6, -1))
      response.writeHead(206, { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` })
      response.end(body.subarray(from, from + 10))
      return true
    })
    const found = await get(t, { url: server.origin })
    t.ok((await found.body.buffer()).equals(body))
    t.equal(found.attempts, 3)
  })

  t.test('what was gone on with is checked whole', async t => {
    const other = randomBytes(body.length)
    const served = { body, etag: '"1"', cuts: [100_000, undefined, undefined] }
    const server = await ranged(t, served, (_request, _response, attempt) => {
      // A server that changes a file and not its ETag.
      served.body = attempt === 2 ? other : body
      return false
    })
    const found = await get(t, { url: server.origin, ...promised }, { maxMemoryBytes: 1000 })
    t.ok((await bytesOf(found.body)).equals(body))
    t.equal(found.attempts, 3)
    t.equal(server.requests[2]?.headers.range, undefined)
    t.strictSame(filesIn(directoryOf(t)), [])
  })

  t.test('by date, where there is no ETag', async t => {
    const modified = 'Wed, 01 Jan 2025 00:00:00 GMT'
    const server = await plainServer(t, (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
      response.writeHead(from > 0 ? 206 : 200, {
        'last-modified': modified,
        ...(from > 0 && { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` }),
        'content-length': body.length - from
      })
      if (from > 0) response.end(body.subarray(from))
      else response.write(body.subarray(0, 1000), () => setImmediate(() => response.destroy()))
    })
    const found = await get(t, { url: server.origin })
    t.ok((await found.body.buffer()).equals(body))
    t.equal(server.requests[1]?.headers['if-range'], modified)
  })

  t.test('a coded one is begun anew', async t => {
    const coded = zlib.gzipSync(body)
    let attempt = 0
    const server = await plainServer(t, (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', etag: '"1"', 'content-length': coded.length })
      if (attempt++ === 0)
        response.write(coded.subarray(0, 200_000), () => setImmediate(() => response.destroy()))
      else response.end(coded)
    })
    const found = await get(t, { url: server.origin }, { maxMemoryBytes: 1000 })
    t.ok((await bytesOf(found.body)).equals(body))
    t.equal(server.requests[1]?.headers.range, undefined)
    t.strictSame(filesIn(directoryOf(t)), [])
  })
})

t.test('a part that the item asks for', async t => {
  const server = await plainServer(t, (_request, response) => {
    response.writeHead(206, { 'content-range': 'bytes 2-3/6', 'content-length': 2, etag: '"1"' })
    if (server.requests.length === 1) response.write('c', () => setImmediate(() => response.destroy()))
    else response.end('cd')
  })
  const found = await get(t, { url: server.origin, headers: { Range: 'bytes=2-3' } })
  t.strictSame([found.status, String(found.body.data), found.attempts], [206, 'cd', 2])
  t.strictSame(
    server.requests.map(({ headers }) => headers.range),
    ['bytes=2-3', 'bytes=2-3']
  )
})

t.test('a part that nobody asked for', async t => {
  const server = await plainServer(t, (_request, response) =>
    response.writeHead(206, { 'content-range': 'bytes 0-1/6' }).end('ab')
  )
  await t.rejects(get(t, { url: server.origin }), {
    code: 'ERR_MILLRACE_STATUS',
    statusCode: 206,
    attempts: 1
  })
})

t.test('Content-Encoding', async t => {
  const text = Buffer.from('some text that can be made smaller. '.repeat(5000))
  const codings: Record<string, Buffer> = {
    gzip: zlib.gzipSync(text),
    br: zlib.brotliCompressSync(text),
    deflate: zlib.deflateSync(text)
  }
  const server = await plainServer(t, (request, response) => {
    const coding = String(request.url).slice(1)
    const coded = codings[coding] ?? Buffer.from('x')
    response.writeHead(200, { 'content-encoding': coding, 'content-length': coded.length }).end(coded)
  })
  const headersSent = () => server.requests.at(-1)?.headers['accept-encoding']
  for (const [coding, coded] of Object.entries(codings)) {
    const lengths: number[] = []
    const found = await get(
      t,
      { url: `${server.origin}/${coding}` },
      { digest: 'sha256' },
      { onLength: length => lengths.push(length) }
    )
    t.ok((await found.body.buffer()).equals(text))
    t.strictSame(found.body.digests, { sha256: sha256(text) }, 'of what was decoded')
    t.strictSame(lengths, [], 'the length is that of something else')
    t.equal(headersSent(), 'gzip, br, deflate')
    // What has a size or a digest is wanted as it lies.
    for (const promise of [{ size: coded.length }, { digests: { sha256: sha256(coded) } }]) {
      const raw = await get(t, { url: `${server.origin}/${coding}`, ...promise })
      t.ok((await raw.body.buffer()).equals(coded))
      t.equal(headersSent(), 'identity')
    }
  }
  await t.rejects(get(t, { url: `${server.origin}/zstd` }), { code: 'ERR_MILLRACE_ENCODING', attempts: 4 })
})

t.test('size and digest', async t => {
  const body = Buffer.from('0123456789')
  const server = await plainServer(t, (request, response) => {
    if (request.url !== '/chunked') response.setHeader('content-length', body.length)
    response.setHeader('etag', '"1"')
    response.flushHeaders()
    response.end(body)
  })
  for (const path of ['/', '/chunked']) {
    for (const size of [0, 9, 11]) {
      const { length } = server.requests
      const expected = {
        code: 'ERR_MILLRACE_SIZE',
        expected: size,
        found: 10,
        attempts: 4,
        url: server.origin + path
      }
      await t.rejects(get(t, { url: server.origin + path, size }), expected)
      t.ok(
        server.requests.slice(length).every(({ headers }) => headers.range === undefined),
        'nothing of it is kept'
      )
    }
    t.equal((await get(t, { url: server.origin + path, size: 10 })).body.size, 10)
    await t.rejects(get(t, { url: server.origin + path, digests: { sha256: 'ab'.repeat(32) } }), {
      code: 'ERR_MILLRACE_DIGEST',
      algorithm: 'sha256',
      expected: 'ab'.repeat(32),
      found: sha256(body),
      attempts: 4
    })
    await t.rejects(get(t, { url: server.origin + path }, { maxBodyBytes: 9 }), {
      code: 'ERR_MILLRACE_BODY_TOO_LARGE',
      maxBytes: 9,
      attempts: 1
    })
    await t.rejects(get(t, { url: server.origin + path, size: 10 }, { maxBodyBytes: 9 }), {
      code: 'ERR_MILLRACE_BODY_TOO_LARGE',
      attempts: 1
    })
  }
  // Bodies in files, too, leave nothing behind when they are wrong.
  await t.rejects(get(t, { url: server.origin, digests: { md5: 'ab'.repeat(16) } }, { maxMemoryBytes: 1 }), {
    code: 'ERR_MILLRACE_DIGEST'
  })
  t.strictSame(filesIn(directoryOf(t)), [])
})

t.test('a size that is one', async t => {
  t.equal(statedSize({ url: '', size: 5 }), 5)
  t.equal(statedSize({ url: '', size: 0 }), 0)
  for (const size of [undefined, -1, 1.5, Number.NaN, '5', null, 2 ** 53])
    t.equal(statedSize({ url: '', size } as never), undefined)
})

t.test("a temporary file that cannot be written is nobody else's fault", async t => {
  const server = await plainServer(t, (_request, response) => response.end(randomBytes(3_000_000)))
  const directory = `${t.testdir({ file: '' })}/file`
  await t.rejects(get(t, { url: server.origin }, { maxMemoryBytes: 1000, directory }), {
    code: 'ERR_MILLRACE_TEMPORARY_FILE',
    attempts: 1,
    cause: { code: /ENOTDIR|EEXIST/ }
  })
  t.equal(server.requests.length, 1)
})

t.test('what undici says is wrapped once', async t => {
  const server = await plainServer(t, (request, response) => {
    if (request.url === '/body') response.writeHead(200).write('x')
  })
  const dispatcher = ownAgent(t)
  const once = {
    retry: { maxRetries: 0, minTimeout: 1, maxTimeout: 1, timeoutFactor: 1, retryAfter: true },
    dispatcher
  }
  const { origin } = server
  await t.rejects(get(t, { url: origin }, { ...once, headersTimeout: 20 }), {
    code: 'ERR_MILLRACE_TIMEOUT',
    message: /no headers in time/,
    cause: { code: 'UND_ERR_HEADERS_TIMEOUT' }
  })
  await t.rejects(get(t, { url: `${origin}/body` }, { ...once, bodyTimeout: 20 }), {
    code: 'ERR_MILLRACE_TIMEOUT',
    message: /stalled/,
    cause: { code: 'UND_ERR_BODY_TIMEOUT' }
  })
  await t.rejects(get(t, { url: 'http://127.0.0.1:1/' }, once), {
    code: 'ERR_MILLRACE_NETWORK',
    cause: { code: 'ECONNREFUSED' }
  })
  const bad = { url: origin, headers: { 'x-secret': 'a\nb' } }
  await t.rejects(get(t, bad, { dispatcher }), {
    code: 'ERR_MILLRACE_NETWORK',
    attempts: 1,
    cause: { code: 'UND_ERR_INVALID_ARG' }
  })
  await dispatcher.close()
  await t.rejects(get(t, { url: origin }, { dispatcher }), { code: 'ERR_MILLRACE_NETWORK', attempts: 1 })
})

t.test('an address that the dispatcher refuses is a URL that is not fetched', async t => {
  const dispatcher = ownAgent(t, {
    connect: (_options, callback) =>
      callback(
        Object.assign(new Error('x.test leads to the private address 10.0.0.1'), { code: 'EPRIVATE' }),
        null
      )
  })
  await t.rejects(get(t, { url: 'http://x.test/' }, { dispatcher }), {
    code: 'ERR_MILLRACE_URL',
    attempts: 1,
    message: /10\.0\.0\.1/
  })
})
