import { readdirSync } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { Package, Project } from '../../lib/pypi/package.js'
import { Downloader } from '../../streams/downloader.js'
import { MetadataParser } from '../../streams/metadata-parser.js'
import { PackageFilter } from '../../streams/package-filter.js'
import {
  type ProjectListing,
  ProjectSource,
  type ProjectSourceOptions
} from '../../streams/project-source.js'
import { indexServer } from '../helpers/index-server.js'

interface Run {
  readonly projects: Project[]
  readonly listings: ProjectListing[]
  readonly skips: [item: unknown, error: Error][]
}

async function list(options: ProjectSourceOptions): Promise<Run> {
  const run: Run = { projects: [], listings: [], skips: [] }
  const source = new ProjectSource(options)
  source.on('listing', listing => run.listings.push(listing))
  source.on('skip', (item, error) => run.skips.push([item, error]))
  for await (const project of source as AsyncIterable<Project>) run.projects.push(project)
  return run
}

const names = ({ projects }: Run) => projects.map(({ name }) => name)
const listing = (projects: readonly unknown[], meta: object = { 'api-version': '1.0' }) =>
  JSON.stringify({ meta, projects: projects.map(name => ({ name })) })

t.test('projects by name need no request', async t => {
  const indexUrl = 'https://index.invalid/simple/'
  const run = await list({
    indexUrl,
    includes: ['Some.Name>=1', 'other[x]; python_version < "3"', 'some_name', 'gone', 'kept'],
    excludes: ['GONE', 'kept>2']
  })
  const headers = {
    accept: 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01'
  }
  t.strictSame(run, {
    projects: [
      { project: 'some-name', name: 'Some.Name', url: `${indexUrl}some-name/`, headers, serial: undefined },
      { project: 'other', name: 'other', url: `${indexUrl}other/`, headers, serial: undefined },
      { project: 'kept', name: 'kept', url: `${indexUrl}kept/`, headers, serial: undefined }
    ],
    listings: [],
    skips: []
  })
  t.strictSame((await list({ source: 'json', includes: ['X'] })).projects, [
    {
      project: 'x',
      name: 'X',
      url: 'https://pypi.org/pypi/x/json',
      headers: { accept: 'application/json' },
      serial: undefined
    }
  ])
  t.same(names(await list({ includes: ['x'], excludes: ['x'] })), [])
  const many = Array.from({ length: 1000 }, (_, at) => `p${at}`)
  for (const highWaterMark of [1, 16, 2000])
    t.same(names(await list({ includes: many, highWaterMark })), many)
})

t.test('a whole index', async t => {
  const index = await indexServer(t, { projects: 50 })
  const run = await list({ indexUrl: index.indexUrl, excludes: ['sample-000007', 'sample-000008==1'] })
  t.equal(run.projects.length, 49)
  t.match(run.projects[0], {
    project: 'sample-000000',
    name: 'sample-000000',
    url: `${index.indexUrl}sample-000000/`,
    serial: Number
  })
  t.match(run.listings, [
    { total: 50, complete: true, serial: Number, digest: /^[0-9a-f]{64}$/, etag: String }
  ])
  t.equal(index.stats().requests, 1)
  t.match(index.requests()[0]?.headers.accept, /^application\/vnd\.pypi\.simple\.v1\+json, /)

  const json = await list({ indexUrl: index.indexUrl, source: 'json' })
  t.equal(json.projects.length, 50)
  t.match(json.projects[0], { url: `${index.origin}/pypi/sample-000000/json`, serial: Number })
})

t.test('an index that only speaks HTML', async t => {
  const index = await indexServer(t, { projects: 0 })
  const lastModified = 'Mon, 01 Jan 2024 00:00:00 GMT'
  const page = '<title>Simple index</title><a href="Black/">Black</a><a href="/other/x/">x</a>'
  index.route('/simple/', {
    body: page,
    headers: { 'content-type': 'text/html', etag: '"e"', 'last-modified': lastModified }
  })
  const run = await list({ indexUrl: index.indexUrl })
  t.match(run.projects, [
    { project: 'black', name: 'Black', url: `${index.origin}/simple/Black/` },
    { project: 'x', url: `${index.origin}/other/x/` }
  ])
  t.match(run.listings, [
    { total: 2, complete: true, serial: undefined, etag: '"e"', lastModified, serials: false }
  ])
  const json = await list({ indexUrl: index.indexUrl, source: 'json' })
  t.match(json.projects, [{ url: `${index.origin}/pypi/black/json` }, { url: `${index.origin}/pypi/x/json` }])
})

t.test('counts what it gives', async t => {
  const source = new ProjectSource({ includes: ['a', 'b', 'c'] })
  t.equal((await source.toArray()).length, 3)
  t.equal(source.given, 3)
  const index = await indexServer(t, { projects: 5 })
  const whole = new ProjectSource({ indexUrl: index.indexUrl, excludes: ['sample-000001'] })
  await whole.toArray()
  t.equal(whole.given, 4)
})

t.test('names that are none are skipped, and so is the second of two equal ones', async t => {
  const index = await indexServer(t, { projects: 0 })
  index.route('/simple/', { body: listing(['a', 'A', 'b c', '', 'd', 7]) })
  const run = await list({ indexUrl: index.indexUrl })
  t.same(names(run), ['a', 'd'])
  t.match(run.skips, [
    [
      { project: 'b c', url: index.indexUrl },
      { code: 'ERR_MILLRACE_RECORD', filename: 'b c' }
    ],
    [{ project: '' }, { code: 'ERR_MILLRACE_RECORD' }],
    [{ project: undefined }, { code: 'ERR_MILLRACE_RECORD' }]
  ])
  t.match(run.listings, [{ total: 2, complete: true }])
  const alone = new ProjectSource({ indexUrl: index.indexUrl })
  await t.rejects(alone.toArray(), { code: 'ERR_MILLRACE_RECORD' }, 'where nobody listens it ends')
})

t.test('a listing that did not change', async t => {
  const index = await indexServer(t, { projects: 3 })
  const [first] = (await list({ indexUrl: index.indexUrl })).listings
  const again = await list({ indexUrl: index.indexUrl, listing: { etag: first?.etag } })
  t.strictSame(again.projects, [])
  t.match(again.listings, [
    { total: 0, complete: false, digest: undefined, serial: undefined, etag: first?.etag }
  ])
})

t.test('a listing that fails', async t => {
  const index = await indexServer(t, { projects: 0 })
  const fails = (options: ProjectSourceOptions = {}) =>
    list({ indexUrl: index.indexUrl, maxRetries: 0, ...options })
  for (const [route, expected] of [
    [{ status: 404 }, { code: 'ERR_MILLRACE_STATUS', statusCode: 404, attempts: 1 }],
    [
      { body: '<title>Log in</title><a href="/reset">x</a>' },
      { code: 'ERR_MILLRACE_DOCUMENT', url: index.indexUrl }
    ],
    [{ body: '{"projects": [{"name": "a"},' }, { code: 'ERR_MILLRACE_DOCUMENT' }],
    [{ body: '' }, { code: 'ERR_MILLRACE_DOCUMENT' }]
  ] as const) {
    index.route('/simple/', route)
    await t.rejects(fails(), expected, expected.code)
  }
  index.route('/simple/', { body: listing(Array.from({ length: 10 }, (_, at) => `p${at}`)) })
  await t.rejects(fails({ limits: { maxEntries: 9 } }), { code: 'ERR_MILLRACE_DOCUMENT' })
  await t.rejects(
    fails({ maxBodyBytes: 20 }),
    { code: 'ERR_MILLRACE_BODY_TOO_LARGE' },
    'options of the download'
  )
  await t.rejects(fails({ indexUrl: 'http://127.0.0.1:9/simple/' }), { code: 'ERR_MILLRACE_NETWORK' })
})

t.test('never more than highWaterMark unread, and the temporary file goes', async t => {
  const index = await indexServer(t, { projects: 2000 })
  const directory = t.testdir()
  for (const highWaterMark of [1, 4, 16]) {
    const source = new ProjectSource({
      indexUrl: index.indexUrl,
      highWaterMark,
      directory,
      maxMemoryBytes: 100
    })
    let peak = 0
    let seen = 0
    await pipeline(
      source,
      new Writable({
        objectMode: true,
        highWaterMark: 1,
        async write(_project, _encoding, done) {
          if (++seen % 100 === 0) await turn()
          peak = Math.max(peak, source.readableLength)
          done()
        }
      })
    )
    t.equal(seen, 2000)
    t.ok(peak <= highWaterMark, `${peak} at ${highWaterMark}`)
    t.same(readdirSync(directory), [])
  }
})

t.test('destroyed in the middle of a listing', async t => {
  const index = await indexServer(t, { projects: 2000 })
  const directory = t.testdir()
  const options = { indexUrl: index.indexUrl, directory, maxMemoryBytes: 100 }
  const controller = new AbortController()
  let seen = 0
  const source = new ProjectSource({ ...options, signal: controller.signal })
  await t.rejects(
    async () => {
      for await (const _ of source) if (++seen === 50) controller.abort()
    },
    { code: 'ABORT_ERR' }
  )
  t.ok(seen < 100)
  if (!source.closed) await new Promise(resolve => source.once('close', resolve))
  t.same(readdirSync(directory), [])

  const unread = new ProjectSource(options)
  unread.read(0)
  while (unread.readableLength < 16) await turn()
  unread.destroy()
  await new Promise(resolve => unread.once('close', resolve))
  t.same(readdirSync(directory), [], 'with nobody to read')

  index.fault({ match: '/simple/', kind: 'stalled' })
  const waiting = new ProjectSource(options)
  waiting.read(0)
  await turn()
  waiting.destroy()
  await new Promise(resolve => waiting.once('close', resolve))

  const never = new ProjectSource(options)
  never.destroy()
  await new Promise(resolve => never.once('close', resolve))
  t.pass('before it began')

  const aborted = new ProjectSource({ ...options, signal: AbortSignal.abort() })
  await t.rejects(aborted.toArray(), { code: 'ABORT_ERR' })
})

t.test('credentials of the index are in a header, and in no URL', async t => {
  const index = await indexServer(t, { projects: 1 })
  for (const [userinfo, credentials] of [
    ['me:s%40cret', 'me:s@cret'],
    ['token', 'token:'],
    ['a%ZZ:b', 'a%ZZ:b']
  ] as const) {
    index.reset()
    const indexUrl = index.indexUrl.replace('//', `//${userinfo}@`)
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
    const run = await list({ indexUrl })
    t.match(run.projects, [{ url: `${index.indexUrl}sample-000000/`, headers: { authorization } }])
    t.equal(index.requests()[0]?.headers.authorization, authorization)
    t.match((await list({ indexUrl: new URL(indexUrl), includes: ['x'] })).projects, [
      { url: `${index.indexUrl}x/`, headers: { authorization } }
    ])
  }
})

t.test('the pipeline of the contract', async t => {
  const index = await indexServer(t, { projects: 3 })
  const [first, second] = ['sample-000001', 'sample-000002']
  const packages: Package[] = []
  await pipeline(
    new ProjectSource({ indexUrl: index.indexUrl, includes: [first, `${second}>=0`] }),
    new Downloader({ concurrency: 32 }),
    new MetadataParser(),
    new PackageFilter({ includes: [first, `${second}>=0`], packageTypes: ['bdist_wheel'] }),
    new Writable({
      objectMode: true,
      write(pkg, _encoding, done) {
        packages.push(pkg)
        done()
      }
    })
  )
  t.ok(packages.length > 0)
  t.same(new Set(packages.map(({ project }) => project)), new Set([first, second]))
  t.ok(packages.every(({ filename, digests }) => filename.endsWith('.whl') && digests.sha256))
})

t.test('options', async t => {
  const throws = (options: object, option: string) =>
    t.throws(() => new ProjectSource(options), { code: 'ERR_MILLRACE_OPTION', option })
  throws({ indexUrl: 'ftp://x.example/' }, 'indexUrl')
  throws({ indexUrl: '/simple/' }, 'indexUrl')
  throws({ source: 'xml' }, 'source')
  throws({ highWaterMark: 0 }, 'highWaterMark')
  throws({ limits: { maxEntries: 0 } }, 'limits.maxEntries')
  throws({ includes: 'numpy' }, 'includes')
  t.throws(() => new ProjectSource({ includes: ['==1'] }), { code: 'ERR_MILLRACE_REQUIREMENT' })
  const source = new ProjectSource({
    indexUrl: undefined,
    source: undefined,
    highWaterMark: undefined,
    signal: undefined
  })
  t.equal(source.readableHighWaterMark, 16)
  source.destroy()
  // @ts-expect-error an option that does not exist
  new ProjectSource({ concurrency: 1 }).destroy()
})

t.test('some come first, as far as they are listed', async t => {
  const index = await indexServer(t, { projects: 3 })
  const { indexUrl } = index
  const first = ['Sample_000002', 'unlisted', 'sample-000001', 'left-out']
  const run = await list({ indexUrl, first, excludes: ['left-out'] })
  t.strictSame(names(run), ['sample-000002', 'sample-000001', 'sample-000000'])
  t.match(run.projects[0], { project: 'sample-000002', url: `${indexUrl}sample-000002/`, serial: Number })
  t.match(run.listings, [{ total: 3, complete: true, serials: true }])

  const options = { indexUrl, includes: ['a', 'B', 'c>1'], excludes: ['a'], first: ['c', 'b', 'a', 'other'] }
  t.strictSame(names(await list(options)), ['c', 'B'], 'spelled as asked for, and none that is not')
  const reader = new ProjectSource({ indexUrl, first, highWaterMark: 1 })
  t.equal((await reader.toArray()).length, 3, 'at the pace of a slow reader')
  for (const listing of [undefined, run.listings[0]]) {
    const gone = new ProjectSource({ indexUrl, first, listing, highWaterMark: 1 })
    await new Promise<void>(resolve => gone.once('readable', resolve))
    gone.destroy()
    t.equal(gone.given, 1)
  }
})

t.test('those that come first are where they are listed, and spelled as there', async t => {
  const index = await indexServer(t, { projects: 0 })
  const page = '<title>Simple index</title><a href="b/">b</a><a href="/elsewhere/a/">A</a>'
  index.route('/simple/', { body: page, headers: { 'content-type': 'text/html' } })
  const run = await list({ indexUrl: index.indexUrl, first: ['a'] })
  t.match(run.projects, [{ name: 'A', url: `${index.origin}/elsewhere/a/` }, { name: 'b' }])
  t.match(run.listings, [{ serials: false, total: 2 }])
  index.route('/simple/', { body: listing(['../x', 'b', 'a']) })
  const skipping = await list({ indexUrl: index.indexUrl, first: ['a'] })
  t.strictSame([names(skipping), skipping.skips.length], [['a', 'b'], 1])
})

t.test('a listing that did not change is not read', async t => {
  const index = await indexServer(t, { projects: 3 })
  const { indexUrl } = index
  const [told] = (await list({ indexUrl })).listings
  const { etag, lastModified, digest } = told as ProjectListing
  t.match({ etag, lastModified, digest }, { etag: String, lastModified: String, digest: /^[0-9a-f]{64}$/ })
  for (const listing of [{ etag }, { lastModified }, { digest }]) {
    index.reset()
    const run = await list({ indexUrl, listing, first: ['sample-000001'] })
    t.strictSame(names(run), ['sample-000001'])
    t.match(run.listings, [{ complete: false, total: 0, serials: false, serial: undefined }])
    t.equal(index.requests()[0]?.status, 'digest' in listing ? 200 : 304)
  }
  index.index.touch('sample-000000')
  const run = await list({ indexUrl, listing: { etag, lastModified, digest } })
  t.equal(names(run).length, 3)
  t.match(run.listings, [{ complete: true, etag: /./ }])
  t.not(run.listings[0]?.etag, etag)
})
