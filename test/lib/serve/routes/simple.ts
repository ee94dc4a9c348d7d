import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { openCatalog, saveProjects, sdist } from '../../../helpers/catalog.js'
import { JSON_TYPE, serveSetup } from '../../../helpers/serve.js'
import { addProject, syncSetup } from '../../../helpers/sync.js'

/** What pip 23 and uv send. */
const PIP =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01'
const UV = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01'
const V1_HTML = 'application/vnd.pypi.simple.v1+html'

t.test('what a client accepts is what it gets', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  const { get } = await serveSetup(t, setup)
  const html = 'text/html; charset=utf-8'
  const cases: readonly (readonly [accept: string | undefined, type: string | undefined])[] = [
    [undefined, html],
    ['*/*', html],
    ['text/*', html],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', html],
    ['text/html', html],
    [PIP, JSON_TYPE],
    [UV, JSON_TYPE],
    [`${V1_HTML};q=0.5, text/html;q=0.1, ${JSON_TYPE};q=0.2`, `${V1_HTML}; charset=utf-8`],
    ['application/vnd.pypi.simple.latest+json', JSON_TYPE],
    ['application/vnd.pypi.simple.latest+html', `${V1_HTML}; charset=utf-8`],
    [`text/html, ${JSON_TYPE}`, html],
    [`${JSON_TYPE}, text/html`, JSON_TYPE],
    [`text/html;q=0, */*;q=0.1`, JSON_TYPE],
    ['application/json', 'application/json'],
    ['application/*', JSON_TYPE],
    [JSON_TYPE.toUpperCase(), JSON_TYPE],
    ['application/vnd.pypi.simple.v2+json', undefined],
    ['image/png', undefined],
    ['text/html;q=0', undefined]
  ]
  for (const path of ['/simple/', '/simple/demo/'])
    for (const [accept, type] of cases) {
      const { status, headers, text } = await get(path, accept === undefined ? {} : { accept })
      t.equal(status, type === undefined ? 406 : 200, `${path} ${accept}`)
      t.match(headers.vary, 'Accept')
      if (type === undefined) t.match(text, JSON_TYPE)
      else t.equal(headers['content-type'], type, String(accept))
      if (type?.includes('json')) t.match(JSON.parse(text).meta['api-version'], /^1\.[1-9]/)
      if (type?.includes('html')) t.match(text, '<meta name="pypi:repository-version" content="1.4">')
    }
})

t.test('validators, codings and HEAD', async t => {
  const setup = await syncSetup(t, { files: 30 })
  addProject(setup.index, 'demo', ...Array.from({ length: 30 }, (_, at) => `1.${at}`))
  addProject(setup.index, 'small', '1.0')
  await setup.run()
  const { get, head } = await serveSetup(t, setup)
  for (const path of ['/simple/', '/simple/demo/']) {
    for (const accept of [JSON_TYPE, 'text/html']) {
      const plain = await get(path, { accept })
      const { etag, 'last-modified': modified } = plain.headers as Record<string, string>
      t.match(etag, /^W\/"[\w-]+"$/)
      t.match(plain.headers, { 'x-pypi-last-serial': /^\d+$/, 'x-content-type-options': 'nosniff' })
      t.equal(plain.headers['cache-control'], 'public, no-cache')

      for (const [encoding, decode] of [
        ['gzip', gunzipSync],
        ['br', brotliDecompressSync]
      ] as const) {
        const coded = await get(path, { accept, 'accept-encoding': encoding })
        if (path === '/simple/demo/') {
          t.equal(coded.headers['content-encoding'], encoding)
          t.ok(coded.body.length < plain.body.length / 2)
        }
        if (coded.headers['content-encoding'] === encoding)
          t.strictSame(decode(coded.body), plain.body, `${path} ${accept} ${encoding}`)
        t.match(coded.headers.vary, /Accept.*Accept-Encoding/i)
        t.equal(coded.headers.etag, etag)
      }
      t.equal((await get(path, { accept, 'accept-encoding': 'zstd' })).headers['content-encoding'], undefined)

      const same = await get(path, { accept, 'if-none-match': etag as string })
      t.strictSame([same.status, same.text, same.headers.etag], [304, '', etag])
      t.equal((await get(path, { accept, 'if-none-match': '"other"' })).status, 200)
      t.equal((await get(path, { accept, 'if-modified-since': modified as string })).status, 304)

      const headOnly = await head(path, { accept })
      t.strictSame([headOnly.status, headOnly.text, headOnly.headers.etag], [200, '', etag])
      if (path === '/simple/demo/')
        t.equal(headOnly.headers['content-length'], String(plain.body.length), 'as long as it would be')
    }
    const tags = await Promise.all(
      [JSON_TYPE, 'text/html'].map(async accept => (await get(path, { accept })).headers.etag)
    )
    t.not(tags[0], tags[1], 'one for each format')
  }
  const small = await get('/simple/small/', { accept: JSON_TYPE, 'accept-encoding': 'gzip' })
  t.equal(small.headers['content-encoding'], undefined, 'nothing to be gained')
})

t.test('a new version is seen at once, an old one stays, and so does what did not change', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'a', '1.0')
  addProject(setup.index, 'b', '1.0')
  await setup.run()
  const { get, page, server } = await serveSetup(t, setup)
  const tag = async (path: string) => (await get(path, { accept: JSON_TYPE })).headers.etag
  const before = [await tag('/simple/'), await tag('/simple/a/'), await tag('/simple/b/')]
  addProject(setup.index, 'a', '1.0', '2.0')
  addProject(setup.index, 'c', '1.0')
  await setup.run()
  const after = [await tag('/simple/'), await tag('/simple/a/'), await tag('/simple/b/')]
  t.not(after[0], before[0])
  t.not(after[1], before[1])
  t.equal(after[2], before[2])
  t.strictSame((await page('a')).versions, ['1.0', '2.0'])
  t.strictSame((await page('a', '/pypi')).versions, ['1.0', '2.0'])
  t.strictSame((await page('a', '/pypi@1')).versions, ['1.0'])
  t.strictSame((await page('a', '/pypi@2')).versions, ['1.0', '2.0'])
  const listed = async (root: string) =>
    JSON.parse((await get(`${root}/simple/`, { accept: JSON_TYPE })).text).projects.map(
      (p: { name: string }) => p.name
    )
  t.strictSame(await listed('/pypi@1'), ['a', 'b'])
  t.strictSame(await listed(''), ['a', 'b', 'c'])
  t.strictSame(await listed('/pypi@0'), [])
  const missing = await Promise.all(
    ['/pypi@1/simple/c/', '/pypi@3/simple/', '/pypi@0/simple/a/', '/other/simple/', '/simple/x/'].map(path =>
      get(path)
    )
  )
  for (const { status, headers } of missing) {
    t.equal(status, 404)
    t.match(headers['content-type'], 'text/plain')
  }
  t.match(
    missing.map(({ text }) => text),
    [/pypi .*project c .*version 1/, /pypi@3/, /a/, /other/, /x/]
  )
  await server.close()
})

t.test('other spellings, and slashes that are missing', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'My.Project', '1.0')
  await setup.run()
  const { get, head } = await serveSetup(t, setup)
  for (const [path, location] of [
    ['/simple', '/simple/'],
    ['/pypi/simple', '/pypi/simple/'],
    ['/pypi@1/simple', '/pypi@1/simple/'],
    ['/simple/my-project', '/simple/my-project/'],
    ['/simple/My.Project', '/simple/my-project/'],
    ['/simple/My__project/', '/simple/my-project/'],
    ['/pypi/simple/MY-project/', '/pypi/simple/my-project/'],
    ['/pypi/My_Project/json', '/pypi/my-project/json'],
    ['/pypi/pypi/My_Project/json', '/pypi/pypi/my-project/json']
  ] as const) {
    const { status, headers } = await get(path)
    t.equal(status, 301, path)
    t.notMatch(headers.location, /^\//, 'a prefix that a proxy put before it stays')
    const target = new URL(headers.location as string, `http://x${path}`).pathname
    t.equal(target, location)
    t.equal((await get(location)).status, 200)
    t.equal((await head(path)).status, 301)
  }
  t.equal((await get('/simple/my%20project/')).status, 404)
  t.equal((await get('/simple/%2e%2e')).status, 404)
  t.equal((await get('/pypi/-/json')).status, 404)
  // Between the document of a project `simple` and the page of `json`, the slash decides.
  addProject(setup.index, 'json', '1.0')
  await setup.run()
  t.equal((await get('/pypi/simple/json')).status, 404)
  t.equal((await get('/pypi/simple/json/')).status, 200)
})

t.test('a long list comes in pieces, and a client may go before its end', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'pypi' })
  const names = Array.from({ length: 3000 }, (_, at) => `project-${at}`)
  await saveProjects(
    run,
    names.map(name => sdist(name, '1.0')),
    ['empty']
  )
  await run.commit()
  await run.finish('done')
  const { get, origin } = await serveSetup(t, { catalog, store: t.testdirName })
  const { headers, text } = await get('/simple/', { accept: JSON_TYPE })
  t.equal(headers['transfer-encoding'], 'chunked')
  const { projects, meta } = JSON.parse(text)
  t.equal(projects.length, 3000)
  t.ok(
    projects.every((project: { '_last-serial': number }) => project['_last-serial'] <= meta['_last-serial'])
  )
  const html = await get('/simple/', { accept: 'text/html', 'accept-encoding': 'gzip' })
  t.equal(html.headers['content-encoding'], 'gzip')
  t.equal(
    gunzipSync(html.body)
      .toString()
      .match(/<a href="[^/"]+\/">/g)?.length,
    3000
  )
  const sent = request(`${origin}/simple/`, { agent: false })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.destroy()
  t.equal((await get('/simple/')).status, 200)
})
