/** Which requests a sync makes when it is not the first: what is unchanged costs next to nothing, and is never wrong. */
import t from 'tap'
import { ProjectSource } from '../../streams/project-source.js'
import type { SyncOptions } from '../../streams/sync.js'
import { addProject, type SyncSetup, syncSetup } from '../helpers/sync.js'

const HOUR_MS = 3_600_000

/** Syncs, and says what was asked of the index: `listing 304`, `a 200`. */
async function asked(
  { run, index }: SyncSetup,
  options: SyncOptions = {},
  { sort = true } = {}
): Promise<string[]> {
  index.reset()
  await run(options)
  const all = index
    .requests()
    .map(({ url, status }) => `${/^\/simple\/$/.test(url) ? 'listing' : url.split('/')[2]} ${status}`)
  return sort ? all.sort() : all
}

/** Makes as if the rows had been written so long ago. */
async function age({ rows }: SyncSetup, ms: number): Promise<void> {
  await rows(`UPDATE projects SET read_at = read_at - ${ms}, held_until = held_until - ${ms} RETURNING 1`)
}

t.test('nothing new is one request, and so is what changed', async t => {
  const setup = await syncSetup(t, { projects: 40 })
  const { run, index } = setup
  t.equal((await asked(setup)).length, 41)
  index.reset()
  t.match(await run(), {
    ...{ version: 1, changed: false, failures: { length: 0 } },
    projects: { listed: 40, fetched: 0, unchanged: 40, missing: 0, failed: 0 }
  })
  t.strictSame(await asked(setup), ['listing 304'])
  index.release(5)
  const changed = await asked(setup)
  t.equal(changed.length, 6)
  t.ok(changed.every(request => request.endsWith(' 200')))
  t.strictSame(await asked(setup), ['listing 304'])
  t.strictSame(
    await asked(setup, { mirror: true, fullCheck: 'never' }),
    await asked(setup, { repository: 'other' }),
    'a mirror begins anew'
  )
  t.strictSame(await asked(setup, { mirror: true }), ['listing 304'])
  t.strictSame(await asked(setup), ['listing 200'], 'what was had with mirror serves without')
})

t.test('a thousand projects: one request, and one more for each that changed', async t => {
  const setup = await syncSetup(t, { projects: 1000, files: 2, fileBytes: 'none' })
  t.equal((await asked(setup)).length, 1001)
  t.strictSame(await asked(setup), ['listing 304'])
  setup.index.release(50)
  t.equal((await asked(setup)).length, 51)
  t.strictSame(await asked(setup), ['listing 304'])
})

t.test('a listing that tells of its change by its digest alone is not read', async t => {
  const setup = await syncSetup(t, { projects: 10, validators: false })
  const { run, index } = setup
  await run()
  t.match(await run(), { projects: { listed: 10, unchanged: 10 } })
  t.strictSame(await asked(setup), ['listing 200'])
  index.release(1)
  t.equal((await asked(setup)).length, 2)
})

t.test('without serials each document is asked for on condition, whatever became of the listing', async t => {
  const setup = await syncSetup(t, { projects: 3, formats: ['html'] })
  const { run, index } = setup
  await run()
  const unchanged = ['listing 200', 'sample-000000 304', 'sample-000001 304', 'sample-000002 304']
  t.strictSame(await asked(setup), unchanged)
  index.index.release('sample-000001')
  t.match(await run(), { projects: { fetched: 1, unchanged: 2 }, packages: { added: 2 } })
  t.strictSame(await asked(setup), unchanged)
})

t.test('without serials and validators the digest says that a document did not change', async t => {
  const { run, index } = await syncSetup(t, { projects: 3, formats: ['html'], validators: false })
  await run()
  t.match(await run(), { changed: false, projects: { fetched: 0, unchanged: 3 } })
  index.index.release('sample-000001')
  t.match(await run(), { projects: { fetched: 1, unchanged: 2 }, packages: { added: 2 } })
})

t.test('what failed comes first, also beside a listing that did not change', async t => {
  const setup = await syncSetup(t)
  const { index } = setup
  for (const name of ['a', 'b', 'c', 'd']) addProject(index, name, '1')
  const heal = index.fault({ kind: 'status', status: 403, match: '/simple/c/' })
  t.equal((await asked(setup)).length, 5)
  t.strictSame(await asked(setup), ['c 403', 'listing 304'])
  heal()
  addProject(index, 'aa', '1')
  const documents = (await asked(setup, { concurrency: 1 }, { sort: false })).filter(
    one => !one.startsWith('listing')
  )
  t.strictSame(documents, ['c 200', 'aa 200'])
  t.strictSame(await asked(setup), ['listing 304'])
  t.strictSame(
    await setup.names(),
    ['a', 'aa', 'b', 'c', 'd'].map(name => `${name}-1.tar.gz`)
  )
})

t.test('what failed comes first among those asked for by name', async t => {
  const setup = await syncSetup(t)
  for (const name of ['a', 'b', 'c']) addProject(setup.index, name, '1')
  const heal = setup.index.fault({ kind: 'status', status: 403, match: '/simple/c/' })
  const options = { includes: ['a', 'b', 'C'], concurrency: 1 }
  t.strictSame(await asked(setup, options, { sort: false }), ['a 200', 'b 200', 'c 403'])
  heal()
  t.strictSame(await asked(setup, options, { sort: false }), ['c 200', 'a 304', 'b 304'])
  t.strictSame(await asked(setup, { ...options, includes: ['a'] }), ['a 304'], 'none that is not asked for')
})

t.test('what failed and is listed no more fails no more', async t => {
  for (const mirror of [true, false]) {
    await t.test(`mirror: ${mirror}`, async t => {
      const setup = await syncSetup(t)
      const { index, run, names } = setup
      addProject(index, 'a', '1')
      addProject(index, 'b', '1')
      await run({ mirror })
      index.index.release('a')
      index.fault({ kind: 'status', status: 403, match: '/simple/a/' })
      t.match(await run({ mirror }), { projects: { failed: 1 } })
      index.index.remove('a')
      t.match(await run({ mirror }), {
        projects: { failed: 0, listed: 1 },
        packages: { removed: mirror ? 1 : 0 },
        failures: { length: 0 }
      })
      t.strictSame(await asked(setup, { mirror }), ['listing 304'])
      t.strictSame(await names(), mirror ? ['b-1.tar.gz'] : ['a-1.tar.gz', 'b-1.tar.gz'])
    })
  }
})

t.test('a full check reads whole what a serial hides', async t => {
  const setup = await syncSetup(t)
  const { index, run, names } = setup
  addProject(index, 'a', '1', '2')
  addProject(index, 'b', '1')
  await run({ mirror: true })
  // As happened on PyPI: a file goes, and the serial stands still.
  const { serial = 0 } = index.index.project('a') ?? {}
  const { etag, lastModified } = { etag: `"${serial.toString(36)}-json"`, lastModified: undefined }
  t.equal(lastModified, undefined)
  index.route('/simple/a/', {
    body: JSON.stringify({
      meta: { 'api-version': '1.1', '_last-serial': serial },
      name: 'a',
      files: [{ filename: 'a-2.tar.gz', url: `${index.origin}/a-2.tar.gz`, hashes: {} }]
    }),
    headers: { 'content-type': 'application/vnd.pypi.simple.v1+json', etag }
  })
  t.strictSame(await asked(setup, { mirror: true }), ['listing 304'])
  await age(setup, 29 * 24 * HOUR_MS)
  t.strictSame(await asked(setup, { mirror: true, fullCheck: 'never' }), ['listing 304'])
  t.strictSame(await asked(setup, { mirror: true, fullCheck: '60d' }), ['listing 304'])
  t.strictSame(await asked(setup, { mirror: true }), ['a 200', 'b 200', 'listing 304'])
  const [first] = index.requests('/simple/a/')
  t.equal(first?.headers['if-none-match'], undefined)
  t.strictSame(await names(), ['a-2.tar.gz', 'b-1.tar.gz'])
  t.strictSame(await asked(setup, { mirror: true }), ['listing 304'], 'it was read just now')
  t.equal((await asked(setup, { mirror: true, fullCheck: '0h' })).length, 3, 'each time, if wanted')
})

t.test('a full check goes by age where a listing is read, too', async t => {
  const setup = await syncSetup(t, { projects: 3, formats: ['html'] })
  await setup.run()
  await age(setup, 30 * 24 * HOUR_MS)
  t.equal((await asked(setup)).filter(request => request.endsWith(' 200')).length, 4)
  t.equal((await asked(setup)).filter(request => request.endsWith(' 304')).length, 3)
})

t.test('a change of includes and excludes makes those due that it affects', async t => {
  const setup = await syncSetup(t)
  for (const name of ['a', 'b', 'c']) addProject(setup.index, name, '1', '2')
  const steps: [SyncOptions, string[]][] = [
    [{}, ['a 200', 'b 200', 'c 200', 'listing 200']],
    [{ excludes: ['b==1'] }, ['b 200', 'listing 200']],
    [{ excludes: ['b==1'] }, ['listing 304']],
    [{ excludes: ['b==1', 'c'] }, ['listing 200']],
    [{ excludes: ['b==1'] }, ['c 200', 'listing 200']],
    [{ includes: ['a', 'b', 'c'] }, ['a 304', 'b 200', 'c 304']],
    [{ includes: ['a>1', 'b', 'c'] }, ['a 200', 'b 304', 'c 304']],
    [{}, ['a 200', 'listing 200']],
    [{ policy: 'streamed' }, ['listing 304']],
    [{ keepLatest: 1 }, ['a 200', 'b 200', 'c 200', 'listing 200']]
  ]
  for (const [options, requests] of steps) {
    t.strictSame(await asked(setup, options), requests, JSON.stringify(options))
  }
})

t.test('to immediate all is due, from immediate nothing', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'a', '1')
  await setup.run()
  t.strictSame(await asked(setup, { policy: 'immediate' }), ['a 200', 'listing 200', 'packages 200'])
  t.strictSame(await asked(setup), ['listing 200'])
  t.strictSame(await asked(setup, { policy: 'immediate' }), ['listing 200'])
})

t.test('what an age holds back is asked for when its time has come', async t => {
  const setup = await syncSetup(t)
  const { index, names } = setup
  addProject(index, 'a', '1')
  addProject(index, 'b', '1')
  const uploadTime = new Date(Date.now() - HOUR_MS).toISOString()
  for (const version of ['2', '3']) index.index.upload('b', { filename: `b-${version}.tar.gz`, uploadTime })
  const options = { uploadedBefore: '1d' }
  t.equal((await asked(setup, options)).length, 3)
  t.strictSame(await asked(setup, options), ['listing 304'])
  t.strictSame(await names(), ['a-1.tar.gz', 'b-1.tar.gz'])
  await setup.rows(`UPDATE projects SET held_until = ${Date.now()} WHERE project = 'b' RETURNING 1`)
  index.index.describe('b', 'b-2.tar.gz', { uploadTime: '2024-01-01T00:00:00Z' })
  t.strictSame(await asked(setup, options), ['b 200', 'listing 200'])
  t.strictSame(await names(), ['a-1.tar.gz', 'b-1.tar.gz', 'b-2.tar.gz'])
})

t.test('what is listed and not there is asked for again each time', async t => {
  const setup = await syncSetup(t)
  const { index, names } = setup
  addProject(index, 'a', '1')
  addProject(index, 'b', '1')
  await setup.run({ mirror: true })
  index.index.release('a')
  const heal = index.fault({ kind: 'status', status: 404, match: '/simple/a/' })
  t.strictSame(await asked(setup, { mirror: true }), ['a 404', 'listing 200'])
  t.strictSame(await names(), ['b-1.tar.gz'])
  t.strictSame(await asked(setup, { mirror: true }), ['a 404', 'listing 304'])
  heal()
  t.strictSame(await asked(setup, { mirror: true }), ['a 200', 'listing 304'])
  t.equal((await names()).length, 4)
})

t.test('a document that is older than the listing is asked for again', async t => {
  const setup = await syncSetup(t)
  const { index, names } = setup
  addProject(index, 'a', '1')
  addProject(index, 'b', '1')
  await setup.run()
  // A cache in between has not heard of the new file yet.
  const old = JSON.stringify({
    meta: { 'api-version': '1.1', '_last-serial': index.index.project('a')?.serial },
    name: 'a',
    files: [{ filename: 'a-1.tar.gz', url: `${index.origin}/a-1.tar.gz`, hashes: {} }]
  })
  index.index.upload('a', { filename: 'a-2.tar.gz' })
  let answer = old
  index.route('/simple/a/', (_, response) => {
    response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json').end(answer)
  })
  t.strictSame(await asked(setup), ['a 200', 'listing 200'])
  t.strictSame(await asked(setup), ['a 200', 'listing 200'], 'a listing on condition would hide it')
  answer = JSON.stringify({
    ...JSON.parse(old),
    meta: { 'api-version': '1.1', '_last-serial': index.index.lastSerial }
  })
  t.strictSame(await asked(setup), ['a 200', 'listing 200'])
  t.strictSame(await asked(setup), ['listing 304'])
  t.equal((await names()).length, 2)
})

t.test('after a run that was not finished, or one that went back, the listing is read', async t => {
  const setup = await syncSetup(t)
  const { index, run, open, names } = setup
  addProject(index, 'a', '1')
  await run()
  index.index.upload('a', { filename: 'a-2.tar.gz' })
  await run()
  t.strictSame(await asked(setup), ['listing 304'])
  await open(catalog => catalog.rollback('pypi', 1))
  t.strictSame(await names(), ['a-1.tar.gz'])
  t.strictSame(await asked(setup), ['a 200', 'listing 200'])
  t.strictSame(await names(), ['a-1.tar.gz', 'a-2.tar.gz'])
  const heal = index.fault({ kind: 'status', status: 404, match: /^\/simple\/$/ })
  await t.rejects(run(), { code: 'ERR_MILLRACE_STATUS', statusCode: 404 })
  heal()
  t.strictSame(await asked(setup), ['listing 200'])
  t.strictSame(await asked(setup), ['listing 304'])
})

t.test('an answer on condition to a question without one is no answer', async t => {
  const setup = await syncSetup(t)
  const { index, run } = setup
  addProject(index, 'a', '1')
  index.route('/simple/a/', { status: 304 })
  await run()
  index.route('/simple/a/', (_, response) => response.writeHead(500).end())
  t.match(await run({ maxRetries: 0 }), { projects: { failed: 1 } }, 'the project is due')
  index.route('/simple/', { status: 304 })
  await t.rejects(run({ repository: 'other' }), { code: 'ERR_MILLRACE_STATUS', statusCode: 304 })
})

t.test('a source of the caller’s own may know the listing, too', async t => {
  const { index, run } = await syncSetup(t, { projects: 3 })
  let etag: string | undefined
  await run({
    stages(list) {
      list[0]?.on('listing', listing => {
        etag = listing.etag
      })
      return list
    }
  })
  const report = await run({
    repository: 'other',
    stages: list => list.with(0, new ProjectSource({ indexUrl: index.indexUrl, listing: { etag } }))
  })
  t.match(report, { changed: false, projects: { listed: 0, unchanged: 0 } })
  t.match(await run({ repository: 'other' }), { projects: { fetched: 3 } })
})

t.test('a listing of which a name cannot be used is read each time, and says so', async t => {
  const setup = await syncSetup(t)
  const { index, run } = setup
  addProject(index, 'a', '1')
  const projects = [
    { name: 'a', '_last-serial': index.index.lastSerial },
    { name: '../x', '_last-serial': 1 }
  ]
  const body = JSON.stringify({ meta: { 'api-version': '1.1' }, projects })
  index.route('/simple/', {
    body,
    headers: { etag: '"e"', 'content-type': 'application/vnd.pypi.simple.v1+json' }
  })
  await run()
  t.match(await run(), { failures: [{ code: 'ERR_MILLRACE_RECORD' }], projects: { unchanged: 1 } })
})
