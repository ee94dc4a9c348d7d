/**
 * Every fault that the test index knows, met once, twice or always, with and without retries, on a file that states
 * its size and digest, on a file that states nothing, and on a document that comes coded: how many requests the
 * server sees, and how it ends.
 */
import t from 'tap'
import { type FaultForm, faultKinds } from '../../benchmarks/index-server/faults.js'
import { madeUpName } from '../../benchmarks/index-server/made-up.js'
import type { IndexServer } from '../../benchmarks/index-server/server.js'
import type { Downloadable } from '../../lib/http/download.js'
import { downloadAll, leavesNothing, ownAgent } from '../helpers/http.js'
import { indexServer } from '../helpers/index-server.js'

type Item = 'file with digest' | 'file' | 'document'

const NETWORK = 'ERR_MILLRACE_NETWORK'
const TIMEOUT = 'ERR_MILLRACE_TIMEOUT'
const STATUS = 'ERR_MILLRACE_STATUS'
const ENCODING = 'ERR_MILLRACE_ENCODING'
const DIGEST = 'ERR_MILLRACE_DIGEST'
const SIZE = 'ERR_MILLRACE_SIZE'
const REDIRECT = 'ERR_MILLRACE_REDIRECT'

interface Row {
  readonly fault: FaultForm
  /** The code it gives when it is met at every attempt; `undefined` where it does no harm. One for all, or by item. */
  readonly code: string | undefined | Readonly<Record<Item, string | undefined>>
  /** Whether it is tried again. */
  readonly retried?: boolean
  /** Requests of one attempt, where there are redirects. */
  readonly requests?: number
}

const ROWS: readonly Row[] = [
  { fault: { kind: 'reset' }, code: NETWORK },
  { fault: { kind: 'reset-headers' }, code: NETWORK },
  { fault: { kind: 'reset-body' }, code: NETWORK },
  { fault: { kind: 'truncated' }, code: NETWORK },
  { fault: { kind: 'truncated-chunked' }, code: NETWORK },
  // Without a digest, nobody can tell; what a document is is for its reader to say.
  { fault: { kind: 'corrupted' }, code: { 'file with digest': DIGEST, file: undefined, document: ENCODING } },
  { fault: { kind: 'stalled' }, code: TIMEOUT },
  { fault: { kind: 'stalled-body' }, code: TIMEOUT },
  { fault: { kind: 'slow', bytesPerSecond: 1 }, code: TIMEOUT },
  { fault: { kind: 'status', status: 500 }, code: STATUS },
  { fault: { kind: 'status', status: 502 }, code: STATUS },
  { fault: { kind: 'status', status: 503 }, code: STATUS },
  { fault: { kind: 'status', status: 503, retryAfter: 1 }, code: STATUS },
  { fault: { kind: 'status', status: 429, retryAfter: 1 }, code: STATUS },
  { fault: { kind: 'status', status: 429 }, code: STATUS },
  { fault: { kind: 'status', status: 408 }, code: STATUS },
  { fault: { kind: 'status', status: 401 }, code: STATUS, retried: false },
  { fault: { kind: 'status', status: 403 }, code: STATUS, retried: false },
  { fault: { kind: 'status', status: 404 }, code: STATUS, retried: false },
  { fault: { kind: 'status', status: 410 }, code: STATUS, retried: false },
  { fault: { kind: 'status', status: 451 }, code: STATUS, retried: false },
  { fault: { kind: 'status', status: 501 }, code: STATUS, retried: false },
  { fault: { kind: 'content-type' }, code: undefined },
  { fault: { kind: 'html' }, code: { 'file with digest': SIZE, file: undefined, document: undefined } },
  // What has a digest is taken as it lies, whatever coding the server names.
  { fault: { kind: 'bad-gzip' }, code: { 'file with digest': SIZE, file: ENCODING, document: ENCODING } },
  {
    fault: { kind: 'wrong-encoding' },
    code: { 'file with digest': undefined, file: ENCODING, document: ENCODING }
  },
  {
    fault: { kind: 'wrong-encoding', encoding: 'zstd' },
    code: { 'file with digest': undefined, file: ENCODING, document: ENCODING }
  },
  { fault: { kind: 'redirect-loop' }, code: REDIRECT, retried: false, requests: 4 },
  { fault: { kind: 'redirect', to: 'ftp://example.org/' }, code: 'ERR_MILLRACE_URL', retried: false },
  { fault: { kind: 'chunked' }, code: undefined }
]

t.test('no fault is left out', async t => {
  t.strictSame(
    faultKinds.filter(kind => !ROWS.some(({ fault }) => fault.kind === kind)),
    []
  )
})

/** The items of one server. */
function itemsOf(server: IndexServer): Readonly<Record<Item, Downloadable>> {
  const [file] = server.index.project(madeUpName(0))?.files ?? []
  const url = `${server.origin}${file?.path}`
  return {
    'file with digest': { url, size: Number(file?.size), digests: { sha256: String(file?.hashes.sha256) } },
    file: { url },
    document: { url: `${server.indexUrl}${madeUpName(0)}/` }
  }
}

t.test('faults', async t => {
  // undici's timeouts take up to a second, and are waited for together.
  t.jobs = 20
  for (const row of ROWS) {
    const { fault, retried = true, requests = 1 } = row
    for (const name of ['file with digest', 'file', 'document'] as const) {
      const code = typeof row.code === 'object' ? row.code[name] : row.code
      const timeout = code === TIMEOUT ? 100 : 10_000
      for (const maxRetries of [0, 3]) {
        for (const times of [1, 2, Number.POSITIVE_INFINITY]) {
          const title = `${Object.values(fault).join(' ')}, ${times} times, ${maxRetries} retries, ${name}`
          t.test(title, { buffered: true }, async t => {
            const server = await indexServer(t, { projects: 1, files: 1, fileBytes: 20_000 })
            server.fault({ ...fault, times: times * requests })
            const dispatcher = ownAgent(t)
            const outcome = await downloadAll(t, [itemsOf(server)[name]], {
              dispatcher,
              maxRetries,
              maxRedirects: 3,
              maxMemoryBytes: 1000,
              headersTimeout: timeout,
              bodyTimeout: timeout
            })
            const failures = code === undefined ? 0 : Math.min(times, retried ? maxRetries + 1 : 1)
            const succeeds = failures === 0 || (retried && failures <= maxRetries)
            const attempts = failures + (succeeds ? 1 : 0)
            const { downloaded, skipped, retried: told } = outcome
            t.strictSame(
              {
                requests: server.stats().requests,
                attempts: downloaded[0]?.attempts ?? skipped[0]?.error.attempts,
                code: skipped[0]?.error.code,
                retries: told.length
              },
              {
                requests: succeeds ? attempts : attempts * requests,
                attempts,
                code: succeeds ? undefined : code,
                retries: attempts - 1
              }
            )
            t.ok(told.every(({ error }) => error.code === code))
            await leavesNothing(t, dispatcher, {
              get connections() {
                return server.stats().connections
              }
            })
          })
        }
      }
    }
  }
})

t.test('a server that is not there, and a name that nobody knows', async t => {
  for (const [url, cause] of [
    ['http://127.0.0.1:1/', 'ECONNREFUSED'],
    ['http://name.invalid/', /ENOTFOUND|EAI_AGAIN/]
  ] as const) {
    for (const maxRetries of [0, 3]) {
      const { skipped, retried } = await downloadAll(t, [{ url }], { dispatcher: ownAgent(t), maxRetries })
      t.match(skipped[0]?.error, { code: NETWORK, attempts: maxRetries + 1, cause: { code: cause } })
      t.equal(retried.length, maxRetries)
    }
  }
})
