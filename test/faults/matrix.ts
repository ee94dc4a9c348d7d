/**
 * Each fault an index can have, against each policy and number of retries: how many requests the server saw, what
 * the report says, and that every unharmed project came in whole.
 */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import type { FaultForm } from '../../benchmarks/index-server/faults.js'
import type { IndexServer } from '../../benchmarks/index-server/server.js'
import { Catalog } from '../../lib/catalog/catalog.js'
import { type SyncOptions, sync } from '../../streams/sync.js'
import { EXPIRED_CERT, EXPIRED_KEY } from '../fixtures/expired-certificate.js'
import { readNames } from '../helpers/catalog.js'
import { indexServer } from '../helpers/index-server.js'
import { addProject } from '../helpers/sync.js'

// Many processes and many waits, on machines that may be busy.
t.setTimeout(600_000)

type Target = 'document' | 'file'

/** What a request that meets the fault comes to: all is well, no such project, or an error with this code. */
interface Outcome {
  readonly code?: string | undefined
  readonly missing?: boolean | undefined
  /** Whether another request is made. */
  readonly retried?: boolean | undefined
  /** Requests for each attempt. @defaultValue 1 */
  readonly requests?: number | undefined
}

const fine: Outcome = {}
const network: Outcome = { code: 'ERR_MILLRACE_NETWORK', retried: true }
const timeout: Outcome = { code: 'ERR_MILLRACE_TIMEOUT', retried: true }
const encoding: Outcome = { code: 'ERR_MILLRACE_ENCODING', retried: true }
const size: Outcome = { code: 'ERR_MILLRACE_SIZE', retried: true }
const digest: Outcome = { code: 'ERR_MILLRACE_DIGEST', retried: true }
const busy: Outcome = { code: 'ERR_MILLRACE_STATUS', retried: true }
const refused: Outcome = { code: 'ERR_MILLRACE_STATUS' }
const gone: Outcome = { missing: true }
/** The request and ten redirects. */
const loop: Outcome = { code: 'ERR_MILLRACE_REDIRECT', requests: 11 }

const FAULTS: readonly (readonly [fault: FaultForm, document: Outcome, file: Outcome])[] = [
  [{ kind: 'reset' }, network, network],
  [{ kind: 'reset-headers' }, network, network],
  [{ kind: 'reset-body' }, network, network],
  [{ kind: 'truncated' }, network, network],
  [{ kind: 'truncated-chunked' }, network, network],
  // Documents come as gzip, which has a checksum.
  [{ kind: 'corrupted' }, encoding, digest],
  [{ kind: 'stalled' }, timeout, timeout],
  [{ kind: 'stalled-body' }, timeout, timeout],
  [{ kind: 'slow', bytesPerSecond: 10_000 }, fine, fine],
  [{ kind: 'status', status: 404 }, gone, refused],
  [{ kind: 'status', status: 410 }, gone, refused],
  [{ kind: 'status', status: 401 }, refused, refused],
  [{ kind: 'status', status: 403 }, refused, refused],
  [{ kind: 'status', status: 429 }, busy, busy],
  [{ kind: 'status', status: 429, retryAfter: 60 }, busy, busy],
  [{ kind: 'status', status: 500 }, busy, busy],
  [{ kind: 'status', status: 501 }, refused, refused],
  [{ kind: 'status', status: 502 }, busy, busy],
  [{ kind: 'status', status: 503 }, busy, busy],
  [{ kind: 'status', status: 503, retryAfter: new Date('2040-01-01') }, busy, busy],
  [{ kind: 'status', status: 504 }, busy, busy],
  [{ kind: 'content-type', contentType: 'text/plain' }, fine, fine],
  [{ kind: 'html' }, { code: 'ERR_MILLRACE_DOCUMENT' }, size],
  // A file with a digest is taken as it lies.
  [{ kind: 'bad-gzip' }, encoding, size],
  [{ kind: 'wrong-encoding' }, encoding, fine],
  [{ kind: 'wrong-encoding', encoding: 'rot13' }, encoding, fine],
  [{ kind: 'redirect-loop' }, loop, loop],
  [
    { kind: 'redirect', status: 308, to: 'ftp://127.0.0.1/' },
    { code: 'ERR_MILLRACE_URL' },
    { code: 'ERR_MILLRACE_URL' }
  ],
  [
    { kind: 'redirect', to: 'http://[' },
    { code: 'ERR_MILLRACE_REDIRECT' },
    { code: 'ERR_MILLRACE_REDIRECT' }
  ],
  [{ kind: 'chunked' }, fine, fine]
]

/** Longer than any answer takes here, however busy the machine. */
const STALL_MS = 1500

interface Cell {
  readonly fault: FaultForm
  readonly outcome: Outcome
  readonly target: Target
  readonly policy: NonNullable<SyncOptions['policy']>
  readonly maxRetries: number
  /** Requests for the URL that meet the fault. */
  readonly times: number
}

function* cells(): Generator<Cell> {
  for (const [fault, document, file] of FAULTS) {
    for (const [target, policy] of [
      ['document', 'on-demand'],
      ['document', 'immediate'],
      ['document', 'streamed'],
      ['file', 'immediate']
    ] as const) {
      for (const maxRetries of [0, 2]) {
        for (const times of [1, Number.POSITIVE_INFINITY]) {
          yield { fault, outcome: target === 'file' ? file : document, target, policy, maxRetries, times }
        }
      }
    }
  }
}

/** Requests that the target gets, and whether it is had in the end. */
function expectation({ fault, outcome, maxRetries, times }: Cell): { requests: number; had: boolean } {
  const { code, missing, retried = false, requests = 1 } = outcome
  if (code === undefined) return { requests: 1, had: !missing }
  // Led back to itself, it is asked for once more, and then is there.
  if (fault.kind === 'redirect-loop' && times === 1) return { requests: 2, had: true }
  const attempts = retried ? maxRetries + 1 : 1
  const had = times < attempts
  return { requests: (had ? times + 1 : attempts) * requests, had }
}

async function check(t: Test, index: IndexServer, cell: Cell, number: number, directory: string) {
  const { fault, outcome, target, policy, maxRetries, times } = cell
  const names = ['a', 'b', 'c'].map(name => `${name}${number}`)
  for (const name of names) addProject(index, name, '1')
  const [a, b, c] = names.map(name => `${name}-1.tar.gz`) as [string, string, string]
  const match = target === 'file' ? b : `/simple/b${number}/`
  index.fault({ ...fault, match, times })
  const stalls = fault.kind.startsWith('stalled') ? { headersTimeout: STALL_MS, bodyTimeout: STALL_MS } : {}
  const catalog = await Catalog.open(':memory:')
  const report = await sync({
    ...{ indexUrl: index.indexUrl, catalog, store: join(directory, String(number)), policy, includes: names },
    ...{ maxRetries, minTimeout: 1, maxTimeout: 2, ...stalls }
  })
  const { requests, had } = expectation(cell)
  const told = `${JSON.stringify(fault)} ${target} ${policy} retries ${maxRetries} times ${times}`
  const wanted = {
    requests,
    names: had ? [a, b, c] : [a, c],
    projects: {
      ...{ listed: 3, unchanged: 0, missing: outcome.missing ? 1 : 0 },
      // With its document read, a project without its file is fetched, and failed.
      fetched: had || target === 'file' ? 3 : 2,
      failed: had || outcome.missing ? 0 : 1
    },
    files: policy === 'immediate' ? (had ? 3 : 2) : 0,
    failures:
      had || outcome.missing
        ? []
        : [
            {
              ...{ code: outcome.code, project: `b${number}`, filename: target === 'file' ? b : undefined },
              attempts: outcome.code === 'ERR_MILLRACE_DOCUMENT' ? 0 : requests / (outcome.requests ?? 1)
            }
          ]
  }
  t.strictSame(
    {
      requests: index.requests(match).length,
      names: await readNames(catalog, 'pypi'),
      projects: { ...report.projects },
      files: report.files.downloaded,
      failures: report.failures.map(({ code, project, filename, attempts }) => ({
        ...{ code, project, filename, attempts }
      }))
    },
    wanted,
    told
  )
  for (const name of [`a${number}`, `c${number}`]) {
    const asked = index.requests(name).map(({ url }) => url.replace(/^.*\/(?=[^/]+\/?$)/, ''))
    t.strictSame(
      asked.filter(path => path === `${name}/` || path === `${name}-1.tar.gz`),
      policy === 'immediate' ? [`${name}/`, `${name}-1.tar.gz`] : [`${name}/`]
    )
  }
  await catalog.close()
}

t.test('faults × policies × retries', async t => {
  const index = await indexServer(t, { projects: 0 })
  const directory = t.testdir()
  const all = [...cells()]
  // Those that wait for a stall come first, and beside each other.
  const order = all.toSorted((one, other) => Number(stalls(other)) - Number(stalls(one)))
  let next = 0
  const work = async () => {
    for (let at = next++; at < order.length; at = next++)
      await check(t, index, order[at] as Cell, at, directory)
  }
  await Promise.all(Array.from({ length: 16 }, work))
  t.comment(`${all.length} cells, ${index.stats().requests} requests`)
})

function stalls({ fault }: Cell): boolean {
  return fault.kind.startsWith('stalled')
}

t.test('a burst of errors', async t => {
  const index = await indexServer(t, { projects: 0 })
  const includes = Array.from({ length: 10 }, (_, n) => `p${n}`)
  for (const name of includes) addProject(index, name, '1')
  index.fault({ kind: 'status', status: 500, total: 12 })
  const catalog = await Catalog.open(':memory:')
  t.teardown(() => catalog.close())
  const options = { indexUrl: index.indexUrl, catalog, includes, minTimeout: 1, maxTimeout: 2 }
  t.match(await sync({ ...options, maxRetries: 12 }), {
    projects: { fetched: 10, failed: 0 },
    failures: { length: 0 }
  })
  t.equal(index.stats().requests, 22)
})

t.test('without any answer', async t => {
  const catalog = await Catalog.open(':memory:')
  t.teardown(() => catalog.close())
  const run = (options: SyncOptions) =>
    sync({ catalog, includes: ['a', 'b'], maxRetries: 2, minTimeout: 1, maxTimeout: 2, ...options })
  const failure = (project: string, attempts: number, message: RegExp) => ({
    ...{ code: 'ERR_MILLRACE_NETWORK', project, attempts, message }
  })

  await t.test('connection refused', async t => {
    const index = await indexServer(t)
    await index.down()
    const { failures, projects } = await run({ indexUrl: index.indexUrl })
    t.match(projects, { listed: 2, failed: 2 })
    t.match(
      failures.toSorted((one, other) => String(one.project).localeCompare(String(other.project))),
      [failure('a', 3, /ECONNREFUSED/), failure('b', 3, /ECONNREFUSED/)]
    )
    await t.rejects(run({ indexUrl: index.indexUrl, includes: undefined }), {
      ...{ code: 'ERR_MILLRACE_NETWORK', attempts: 3 }
    })
  })

  await t.test('a name that nobody knows', async t => {
    const { failures } = await run({ indexUrl: 'http://nowhere.invalid/simple/', includes: ['a'] })
    t.match(failures, [failure('a', 3, /nowhere\.invalid/)])
  })

  await t.test('an expired certificate', async t => {
    let requests = 0
    let handshakes = 0
    const server = createServer({ cert: EXPIRED_CERT, key: EXPIRED_KEY }, (_request, response) => {
      requests++
      response.end()
    })
    server.on('connection', () => handshakes++)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const dispatcher = new Agent({ connect: { ca: EXPIRED_CERT } })
    t.teardown(async () => {
      await dispatcher.close()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const { failures } = await run({
      indexUrl: `https://127.0.0.1:${port}/simple/`,
      dispatcher,
      includes: ['a']
    })
    t.match(failures, [failure('a', 1, /expired/)])
    t.equal(requests, 0)
    t.equal(handshakes, 1)
  })
})
