/** Each fault as a client meets it, and chaos as it is foretold. */
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { Agent, request } from 'undici'
import {
  chaosFault,
  type FaultForm,
  type FaultKind,
  faultKinds
} from '../../../benchmarks/index-server/faults.js'
import { indexServer } from '../../helpers/index-server.js'

const json = 'application/vnd.pypi.simple.v1+json'

/** What came of a request: an error's code, or status and body. */
async function outcome(url: string, headers: Record<string, string> = {}) {
  const dispatcher = new Agent({ headersTimeout: 300, bodyTimeout: 300 })
  try {
    const response = await request(url, { dispatcher, headers: { accept: json, ...headers } })
    try {
      const body = Buffer.from(await response.body.arrayBuffer())
      return { status: response.statusCode, headers: response.headers, body, text: body.toString() }
    } catch (error) {
      return {
        status: response.statusCode,
        headers: response.headers,
        bodyError: (error as { code: string }).code
      }
    }
  } catch (error) {
    return { error: (error as { code: string }).code }
  } finally {
    await dispatcher.destroy()
  }
}

const expected: Record<FaultKind, object> = {
  reset: { error: /^(UND_ERR_SOCKET|ECONNRESET)$/ },
  'reset-headers': { error: /^(UND_ERR_SOCKET|ECONNRESET)$/ },
  'reset-body': { status: 200, bodyError: /^(UND_ERR_SOCKET|ECONNRESET)$/ },
  truncated: { status: 200, headers: { 'content-length': String }, bodyError: 'UND_ERR_SOCKET' },
  'truncated-chunked': {
    status: 200,
    headers: { 'transfer-encoding': 'chunked' },
    bodyError: 'UND_ERR_SOCKET'
  },
  corrupted: { status: 200 },
  stalled: { error: 'UND_ERR_HEADERS_TIMEOUT' },
  'stalled-body': { status: 200, bodyError: 'UND_ERR_BODY_TIMEOUT' },
  slow: { status: 200 },
  status: { status: 503, headers: { 'retry-after': '7' } },
  'content-type': { status: 200, headers: { 'content-type': 'text/plain' } },
  html: { status: 200, headers: { 'content-type': 'text/html' }, text: /<html>/ },
  'bad-gzip': { status: 200, headers: { 'content-encoding': 'gzip' } },
  'wrong-encoding': { status: 200, headers: { 'content-encoding': 'gzip' } },
  'redirect-loop': { status: 302, headers: { location: '/simple/sample-000001/' } },
  redirect: { status: 302, headers: { location: 'http://127.0.0.1:1/simple/sample-000001/' } },
  chunked: { status: 200, headers: { 'transfer-encoding': 'chunked', 'content-length': undefined } }
}

for (const kind of faultKinds) {
  t.test(`${kind}: as described, then gone`, async t => {
    const server = await indexServer(t)
    const url = `${server.indexUrl}sample-000001/`
    const whole = await outcome(url)
    const form: FaultForm = { kind, retryAfter: 7, to: 'http://127.0.0.1:1', bytesPerSecond: 40_000 }
    server.fault({ ...form, match: '/sample-000001/', times: 1 })
    const started = performance.now()
    const found = await outcome(url)
    t.match(found, expected[kind])
    const same = found.body !== undefined && whole.body !== undefined && found.body.equals(whole.body)
    t.equal(same, ['slow', 'content-type', 'wrong-encoding', 'chunked'].includes(kind))
    if (kind === 'slow') t.ok(performance.now() - started > 250)
    if (kind === 'corrupted') t.throws(() => JSON.parse(String(found.text)))
    if (kind === 'bad-gzip') t.throws(() => gunzipSync(found.body ?? ''))
    t.equal(server.requests().at(-1)?.fault, kind)
    t.equal(server.stats().faults + server.stats().inFlight, 1)

    t.match(await outcome(url), { status: 200, text: whole.text })
    t.equal(server.requests(url.slice(server.origin.length)).length, 3)
  })
}

t.test('rules: by attempt, in bursts, in order, by pattern, until taken away', async t => {
  const server = await indexServer(t)
  const status = async (name: string) => (await outcome(`${server.indexUrl}${name}/`)).status
  server.fault({ kind: 'status', status: 404, match: /sample-000001/g, from: 2, times: 2 })
  server.fault({ kind: 'status', status: 500, total: 2 })
  const seen = []
  for (let attempt = 0; attempt < 5; attempt++) seen.push(await status('sample-000001'))
  t.strictSame(seen, [500, 404, 404, 500, 200])
  t.equal(await status('sample-000002'), 200)
  const undo = server.fault({ kind: 'status', retryAfter: new Date(0) })
  t.match(await outcome(server.indexUrl), {
    status: 503,
    headers: { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }
  })
  undo()
  t.equal((await outcome(server.indexUrl)).status, 200)
  server.fault({ kind: 'status', status: 403 })
  server.clearFaults()
  t.equal((await outcome(server.indexUrl)).status, 200)
})

t.test('faults apply to compressed and to long answers too', async t => {
  const server = await indexServer(t, {
    files: 1,
    fileBytes: 3_000_000,
    huge: { name: 'huge', bytes: 3_000_000 }
  })
  const gzip = { 'accept-encoding': 'gzip' }
  const url = `${server.indexUrl}huge/`
  server.fault({ kind: 'wrong-encoding', match: 'sample-000001' })
  const { body } = await outcome(`${server.indexUrl}sample-000001/`, gzip)
  t.doesNotThrow(() => JSON.parse(String(body)), 'plain bytes called gzip')
  server.fault({ kind: 'corrupted', match: 'huge', times: 1 })
  const corrupted = await outcome(url, gzip)
  t.throws(() => JSON.parse(String(corrupted.text)))
  server.fault({ kind: 'reset-body', match: 'huge', from: 2, times: 1 })
  t.match(await outcome(url, gzip), { status: 200, bodyError: String })
  t.match(await outcome(url), { status: 200 })
  const listed = JSON.parse(String((await outcome(`${server.indexUrl}sample-000002/`)).text))
  const [file] = listed.files
  server.fault({ kind: 'truncated', match: '.tar.gz', times: 1 })
  t.match(await outcome(file.url), { status: 200, bodyError: 'UND_ERR_SOCKET' })
  const whole = await outcome(file.url)
  t.equal(
    createHash('sha256')
      .update(whole.body ?? '')
      .digest('hex'),
    file.hashes.sha256
  )
})

t.test('chaos hits the share it is told to, the same in each run, as foretold', async t => {
  const chaos = {
    seed: 5,
    probability: 0.3,
    hopeless: 0.1,
    forms: [{ kind: 'status', status: 500 }]
  } as const
  const run = async () => {
    const server = await indexServer(t, { projects: 200, files: 1 })
    server.chaos(chaos)
    const seen = []
    for (let at = 0; at < 200; at++) {
      const url = `/simple/sample-${String(at).padStart(6, '0')}/`
      for (let attempt = 1; attempt <= 3; attempt++) {
        const { status } = await outcome(server.origin + url)
        t.equal(status === 500, chaosFault(chaos, url, attempt) !== undefined)
        seen.push(status)
      }
    }
    return seen
  }
  const first = await run()
  const share = first.filter(status => status === 500).length / first.length
  t.ok(share > 0.3 && share < 0.45, `${share}`)
  t.strictSame(await run(), first)
  t.equal(chaosFault({ ...chaos, match: 'x' }, '/simple/', 1), undefined)
})
