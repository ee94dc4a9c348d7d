/** The index server's own claims: formats, conditional and range requests, counts, changes. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { request } from 'undici'
import { projectDocument } from '../../../benchmarks/index-server/documents.js'
import { madeUpName } from '../../../benchmarks/index-server/made-up.js'
import { type IndexServer, startIndexServer } from '../../../benchmarks/index-server/server.js'
import { indexServer } from '../../helpers/index-server.js'

const json = 'application/vnd.pypi.simple.v1+json'

interface Page {
  name: string
  meta: { '_last-serial': number; 'api-version': string }
  versions: string[]
  files: {
    filename: string
    url: string
    hashes: { sha256: string }
    size: number
    yanked: boolean | string
    'core-metadata': boolean | { sha256: string }
  }[]
}

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await request(url, { headers })
  const body = Buffer.from(await response.body.arrayBuffer())
  return { status: response.statusCode, headers: response.headers, body, text: body.toString() }
}

async function page(server: IndexServer, name: string): Promise<Page> {
  return JSON.parse((await get(`${server.indexUrl}${name}/`, { accept: json })).text) as Page
}

async function names(server: IndexServer): Promise<string[]> {
  const listing = JSON.parse((await get(server.indexUrl, { accept: json })).text) as {
    projects: { name: string }[]
  }
  return listing.projects.map(({ name }) => name)
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex')

t.test('the three formats list the same files, and each file is what they say', async t => {
  const server = await indexServer(t, { projects: 20 })
  t.equal((await names(server)).length, 20)
  for (const name of ['sample-000000', 'sample-000003', 'sample-000019']) {
    const { files, meta, versions } = await page(server, name)
    t.equal(files.length, 24)
    t.match(meta, { 'api-version': '1.4', '_last-serial': Number })
    const html = await get(`${server.indexUrl}${name}/`, { accept: 'text/html' })
    const links = [...html.text.matchAll(/<a href="([^#"]+)#sha256=(\w+)"[^>]*>([^<]+)</g)]
    t.strictSame(
      links.map(([, url, sha, filename]) => ({ url, sha, filename })),
      files.map(({ url, hashes, filename }) => ({ url, sha: hashes.sha256, filename }))
    )
    const legacy = await get(`${server.origin}/pypi/${name}/json`)
    const { releases } = JSON.parse(legacy.text) as {
      releases: Record<string, { filename: string; url: string; digests: { sha256: string } }[]>
    }
    t.strictSame(Object.keys(releases), versions)
    t.strictSame(
      Object.values(releases)
        .flat()
        .map(({ filename, url, digests }) => ({ filename, url, sha: digests.sha256 })),
      files.map(({ filename, url, hashes }) => ({ filename, url, sha: hashes.sha256 }))
    )
    for (const file of files) {
      const { body } = await get(file.url)
      t.match({ size: body.length, sha: sha256(body) }, { size: file.size, sha: file.hashes.sha256 })
      const core = file['core-metadata']
      const metadata = await get(`${file.url}.metadata`)
      if (typeof core === 'object') t.equal(sha256(metadata.body), core.sha256)
      else t.equal(metadata.status, 404)
    }
  }
})

t.test('the same seed gives the same index, another seed another; skewed has the mean it claims', async t => {
  const one = await page(await indexServer(t, { relativeUrls: true }), 'sample-000001')
  const same = await page(await indexServer(t, { relativeUrls: true, projects: 500 }), 'sample-000001')
  const other = await page(await indexServer(t, { relativeUrls: true, seed: 2 }), 'sample-000001')
  t.strictSame(one, same)
  t.not(one.files[0]?.url, other.files[0]?.url)
  t.match(one.files[0]?.url, /^\.\.\/\.\.\/files\//)

  const { index } = await indexServer(t, { projects: 20_000, files: 'skewed', fileBytes: 'none' })
  let files = 0
  for (const { name } of index.listing()) files += [...(index.project(name)?.files ?? [])].length
  t.ok(files / 20_000 > 17 && files / 20_000 < 23, `mean ${files / 20_000}`)
})

t.test('a page that is stamped is the page that is made from its files', async t => {
  for (const files of [0, 1, 2, 7, 24, 256, 'skewed'] as const) {
    const { index } = await indexServer(t, { projects: 1_000_000, files, fileBytes: 'none' })
    let stamped = 0
    for (const number of [0, 1, 2, 3, 4, 5, 77, 9_999, 500_123, 999_999]) {
      const project = index.project(madeUpName(number))
      const page = project?.page?.('http://127.0.0.1:1')
      if (project === undefined || page === undefined) continue
      stamped++
      t.equal(page.toString(), [...projectDocument(project, 'json', 'http://127.0.0.1:1')].join(''))
    }
    t.ok(stamped >= 8, `${files}: ${stamped}`)
  }
})

t.test('Accept is negotiated by q-value', async t => {
  const server = await indexServer(t)
  const type = async (accept: string | undefined, on = server) => {
    const { status, headers } = await get(on.indexUrl, accept === undefined ? {} : { accept })
    return status === 200 ? String(headers['content-type']).split(';')[0] : status
  }
  t.equal(await type(undefined), 'text/html')
  t.equal(await type('*/*'), 'text/html')
  t.equal(await type(json), json)
  t.equal(await type(`${json}, text/html;q=0.1`), json)
  t.equal(await type(`${json};q=0.2, text/html;q=0.9`), 'text/html')
  t.equal(await type(`${json};q=0, text/html;q=0.1`), 'text/html')
  t.equal(await type('application/xml'), 406)
  const html = await indexServer(t, { formats: ['html'] })
  t.equal(await type(`${json}, text/html;q=0.1`, html), 'text/html')
  t.equal(await type(json, html), 406)
  t.equal(await type('*/*', await indexServer(t, { formats: ['json'] })), json)
})

t.test('names that are not in normal form are redirected, unknown ones are 404', async t => {
  const server = await indexServer(t)
  t.match(await get(`${server.indexUrl}Sample_000001/`), {
    status: 301,
    headers: { location: '/simple/sample-000001/' }
  })
  t.match(await get(`${server.indexUrl}sample-000001`), { status: 301 })
  t.match(await get(`${server.origin}/pypi/Sample.000001/json`), { status: 301 })
  for (const path of [
    'simple/none/',
    'simple/sample-000010/',
    'simple/sample-1/',
    'pypi/none/json',
    'files/x',
    'x',
    'files/%'
  ]) {
    t.equal((await get(`${server.origin}/${path}`)).status, 404, path)
  }
})

t.test('validators and gzip, and their absence', async t => {
  const server = await indexServer(t)
  const url = `${server.indexUrl}sample-000001/`
  const first = await get(url, { accept: json })
  const etag = String(first.headers.etag)
  const modified = String(first.headers['last-modified'])
  t.match(await get(url, { accept: json, 'if-none-match': etag }), { status: 304, text: '' })
  t.match(await get(url, { accept: json, 'if-none-match': `"x", W/${etag}` }), { status: 304 })
  t.match(await get(url, { accept: json, 'if-modified-since': modified }), { status: 304 })
  t.match(await get(url, { accept: 'text/html', 'if-none-match': etag }), { status: 200 })
  server.index.touch('sample-000001')
  t.match(await get(url, { accept: json, 'if-none-match': etag }), { status: 200 })
  t.match(await get(url, { accept: json, 'if-modified-since': modified }), { status: 200 })

  const packed = await get(url, { accept: json, 'accept-encoding': 'br, gzip' })
  t.equal(packed.headers['content-encoding'], 'gzip')
  t.ok(packed.body.length < first.body.length)
  t.equal((await get(url, { 'accept-encoding': 'gzip;q=0' })).headers['content-encoding'], undefined)

  const bare = await indexServer(t, { gzip: false, validators: false })
  const answer = await get(`${bare.indexUrl}sample-000001/`, {
    'accept-encoding': 'gzip',
    'if-none-match': '*'
  })
  t.match(answer, { status: 200, headers: { etag: undefined, 'content-encoding': undefined } })
})

t.test('files: ranges, If-Range, HEAD', async t => {
  const server = await indexServer(t, { fileBytes: 3_000_000, files: 1 })
  const { files } = await page(server, 'sample-000001')
  const url = files[0]?.url as string
  const whole = await get(url)
  const etag = String(whole.headers.etag)
  t.equal(sha256(whole.body), files[0]?.hashes.sha256)
  const ranges: [string, number, number][] = [
    ['bytes=0-9', 0, 10],
    ['bytes=5-2999999', 5, 3_000_000],
    ['bytes=2000000-', 2_000_000, 3_000_000],
    ['bytes=-7', 2_999_993, 3_000_000],
    ['bytes=10-99999999', 10, 3_000_000]
  ]
  for (const [range, start, end] of ranges) {
    const part = await get(url, { range, 'if-range': etag })
    t.match(part, { status: 206, headers: { 'content-range': `bytes ${start}-${end - 1}/3000000` } })
    t.ok(part.body.equals(whole.body.subarray(start, end)), range)
  }
  t.match(await get(url, { range: 'bytes=3000000-' }), { status: 416 })
  t.match(await get(url, { range: 'bytes=0-9', 'if-range': '"other"' }), { status: 200 })
  const head = await request(url, { method: 'HEAD' })
  t.match(head, { statusCode: 200, headers: { 'content-length': '3000000' } })
  t.equal((await head.body.arrayBuffer()).byteLength, 0)
})

t.test('counts: in flight, peak, kinds, bytes, times, and nothing after a reset', async t => {
  // Long enough that the last request is there before the first answer, on a busy machine too.
  const server = await indexServer(t, { projects: 40, latencyMs: 1500 })
  const urls = Array.from(
    { length: 40 },
    (_, at) => `${server.indexUrl}sample-${String(at).padStart(6, '0')}/`
  )
  const bodies = await Promise.all(urls.map(url => get(url)))
  t.match(server.stats(), {
    requests: 40,
    byKind: { project: 40, listing: 0 },
    byStatus: { 200: 40 },
    inFlight: 0,
    peakInFlight: 40,
    bytes: bodies.reduce((sum, { body }) => sum + body.length, 0)
  })
  for (const { startedMs, endedMs = 0 } of server.requests('/simple/')) t.ok(endedMs - startedMs >= 1499)
  t.equal(server.requests(/sample-00000[12]/).length, 2)

  server.reset()
  server.latencyMs = 0
  for (const url of urls) await get(url)
  t.match(server.stats(), { requests: 40, peakInFlight: 1 })
  t.match(JSON.parse((await get(`${server.origin}/-/stats`)).text), { requests: 40 })
  await request(`${server.origin}/-/reset`, { method: 'POST' })
  t.match(server.stats(), { requests: 0, peakInFlight: 0, bytes: 0, firstMs: undefined })
  t.strictSame(server.requests(), [])
})

t.test('a client that goes away is no longer in flight', async t => {
  const server = await indexServer(t)
  server.fault({ kind: 'stalled-body' })
  const response = await request(server.indexUrl)
  t.equal(server.stats().inFlight, 1)
  const [record] = server.requests()
  response.body.on('error', () => {}).destroy()
  while (record?.endedMs === undefined) await new Promise(setImmediate)
  t.match(server.stats(), { inFlight: 0, peakInFlight: 1 })
})

t.test('bandwidth is shared by all answers', async t => {
  const server = await indexServer(t, { fileBytes: 100_000, files: 4, bytesPerSecond: 2_000_000 })
  const { files } = await page(server, 'sample-000001')
  const started = performance.now()
  await Promise.all(files.map(({ url }) => get(url)))
  const seconds = (performance.now() - started) / 1000
  t.ok(seconds >= 0.19, `400 kB at 2 MB/s took ${seconds} s`)
})

t.test('what is changed is served changed, with a later serial', async t => {
  const server = await indexServer(t, { projects: 3 })
  const { index } = server
  const before = index.lastSerial
  index.add({
    name: 'New.Thing',
    files: [
      { filename: 'new_thing-1.0.tar.gz', content: 'one', requiresPython: '>=3.9' },
      { filename: 'new_thing-1.0-py3-none-any.whl', metadata: 'Name: New.Thing\n' }
    ]
  })
  t.strictSame(await names(server), ['sample-000000', 'sample-000001', 'sample-000002', 'New.Thing'])
  const added = await page(server, 'new-thing')
  t.match(added, { name: 'new-thing', versions: ['1.0'], meta: { '_last-serial': before + 1 } })
  const url = added.files[0]?.url as string
  t.equal((await get(url)).text, 'one')
  t.equal((await get(`${added.files[1]?.url}.metadata`)).text, 'Name: New.Thing\n')

  index.upload('new-thing', { filename: 'new_thing-1.0.tar.gz', content: 'two' })
  index.yank('new-thing', 'new_thing-1.0-py3-none-any.whl', 'broken')
  const changed = await page(server, 'new-thing')
  const again = changed.files.find(({ filename }) => filename.endsWith('.tar.gz'))
  t.equal((await get(url)).status, 404)
  t.equal((await get(again?.url as string)).text, 'two')
  t.equal(changed.files.find(({ filename }) => filename.endsWith('.whl'))?.yanked, 'broken')

  const version = index.release('sample-000000')
  t.equal((await page(server, 'sample-000000')).files.length, 26)
  t.equal((await page(server, 'sample-000000')).versions.at(-1), version)
  const gone = (await page(server, 'sample-000001')).files[0]
  index.remove('sample-000001', gone?.filename)
  t.equal((await page(server, 'sample-000001')).files.length, 23)
  t.equal((await get(gone?.url as string)).status, 404)
  index.remove('sample-000001')
  t.equal((await get(`${server.indexUrl}sample-000001/`)).status, 404)
  index.rename('sample-000002', 'Renamed')
  t.equal((await page(server, 'renamed')).files.length, 24)
  t.strictSame((await names(server)).sort(), ['New.Thing', 'Renamed', 'sample-000000'])
  t.throws(() => index.touch('nothing'), { message: /nothing/ })
  t.throws(() => index.yank('renamed', 'nothing'), { message: /nothing/ })
  server.release(3)
  server.release(1)
  t.equal((await page(server, 'sample-000000')).files.length, 28)
  t.equal((await page(server, 'new-thing')).files.length, 6, 'the same ones each time')
})

t.test('a path of its own, and a document as it is', async t => {
  const server = await indexServer(t)
  server.route('/api/items/1', { body: '{"id":1}', headers: { 'x-mine': 'yes' } })
  server.route('/api/items/2', (_request, response) => response.writeHead(201).end('made'))
  t.match(await get(`${server.origin}/api/items/1?x=1`), {
    status: 200,
    text: '{"id":1}',
    headers: { 'x-mine': 'yes' }
  })
  t.match(await get(`${server.origin}/api/items/2`), { status: 201, text: 'made' })
  t.match(server.stats(), { requests: 2, byStatus: { 200: 1, 201: 1 } })
  server.index.add({ name: 'odd', recorded: { json: '{"files": [' } })
  t.equal((await get(`${server.indexUrl}odd/`, { accept: json })).text, '{"files": [')
})

t.test('a long document is streamed, and is the format it claims', async t => {
  const server = await startIndexServer({ projects: 2, huge: { name: 'huge', bytes: 8_000_000 } })
  t.teardown(() => server.close())
  const plain = await get(`${server.indexUrl}huge/`, { accept: json })
  t.equal(plain.headers['content-length'], undefined)
  t.ok(Math.abs(plain.body.length / 8_000_000 - 1) < 0.1, `${plain.body.length} bytes`)
  const { files, versions } = JSON.parse(plain.text) as Page
  t.equal(new Set(files.map(({ hashes }) => hashes.sha256)).size, files.length)
  t.equal(new Set(versions).size, versions.length)
  t.ok(
    (await get(`${server.indexUrl}huge/`, { accept: json, 'accept-encoding': 'gzip' })).body.length <
      6_000_000
  )
  t.equal((await get(files[0]?.url as string)).status, 404, 'its files are not there')
  t.ok((await names(server)).includes('huge'))
})

t.test('down refuses connections, up takes them again', async t => {
  const server = await indexServer(t)
  await get(server.indexUrl)
  await server.down()
  await t.rejects(get(server.indexUrl), { code: 'ECONNREFUSED' })
  await server.up()
  t.equal((await get(server.indexUrl)).status, 200)
})
