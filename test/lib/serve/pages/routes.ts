import t from 'tap'
import { serveSetup } from '../../../helpers/serve.js'
import { addProject, syncSetup } from '../../../helpers/sync.js'

const R = '/-/repositories/pypi'

t.test('pages of a repository', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0', '2.0')
  addProject(setup.index, 'other', '1.0')
  await setup.run()
  addProject(setup.index, 'demo', '1.0', '2.0', '3.0')
  setup.index.fault({ match: '/simple/other/', kind: 'status', status: 403 })
  await setup.run({ fullCheck: '0d' })
  const { get, head, log } = await serveSetup(t, setup)
  for (const [path, ...wanted] of [
    ['/', 'Package index', `href="-/repositories/pypi/"`],
    [`${R}/`, '/pypi/simple/', 'versions/2"', 'versions/1"'],
    [`${R}/?before=2`, 'versions/1"'],
    [`${R}/versions/2`, 'demo-3.0.tar.gz'],
    [`${R}/versions/1?after=added-1`, 'demo-2.0.tar.gz'],
    [`${R}/versions/1?after=removed-9`, 'What it changed'],
    [`${R}/projects`, '2 projects.', 'projects/demo"'],
    [`${R}/projects?q=%20De`, '1 project that'],
    [`${R}/projects?q=d%3Cb%3E`, 'There are no projects', '&lt;b&gt;'],
    [`${R}/projects?q=a&q=b`, '2 projects.'],
    [`${R}/projects?after=demo`, '1 project.'],
    [`${R}/projects/Demo`, 'demo-3.0.tar.gz'],
    [`${R}@1/projects/demo`, 'demo-2.0.tar.gz'],
    [`${R}/projects/demo?part=1`, 'Versions'],
    [`${R}/runs`, 'runs/2"', 'runs/1"'],
    [`${R}/runs?before=2`, 'runs/1"'],
    [`${R}/runs/2`, 'ERR_MILLRACE_STATUS'],
    [`${R}/runs/2?after=1`, 'Run 2']
  ] as const) {
    const { status, headers, text } = await get(path)
    t.equal(status, 200, path)
    t.match(headers, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': /^default-src 'none'; .*script-src 'self'/,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache'
    })
    for (const part of wanted) t.ok(text.includes(part), `${path} has ${part}`)
    const asked = await head(path)
    t.match([asked.status, asked.text], [200, ''])
  }
  t.notMatch((await get(`${R}@1/projects/demo`)).text, 'demo-3.0')
  for (const path of [
    `${R}/versions/3`,
    `${R}/versions/x`,
    `${R}/runs/9`,
    `${R}/runs/x`,
    `${R}/projects/no`,
    `${R}/projects/.`,
    `${R}/projects/%2e%2e%2f`,
    `${R}@7/projects`,
    '/-/repositories/none/'
  ]) {
    const { status, text } = await get(path)
    t.equal(status, 404, path)
    t.match(text, 'There is no such page')
  }
  t.match(await get(R), { status: 301, headers: { location: 'pypi/' } })
  t.strictSame(log, [])
})

t.test('all links and assets of pages lead somewhere', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run({ policy: 'immediate' })
  await setup.run({ repository: 'other one', policy: 'immediate' })
  const { get, origin } = await serveSetup(t, setup)
  const seen = new Set(['/'])
  for (const path of seen) {
    const { status, headers, text } = await get(path)
    t.equal(status, 200, path)
    if (!headers['content-type']?.startsWith('text/html') || path.includes('/simple/')) continue
    for (const [, link] of text.matchAll(/(?:href|src|action)="([^"#]+)"/g)) {
      const {
        origin: where,
        pathname,
        search
      } = new URL(String(link).replaceAll('&amp;', '&'), origin + path)
      t.equal(where, origin)
      seen.add(pathname + search)
    }
  }
  t.ok(seen.size > 15, `${seen.size} pages`)
  const assets = [...seen].filter(path => path.startsWith('/-/assets/'))
  t.equal(assets.length, 3)
  t.match((await get(assets[0] as string)).headers, { 'cache-control': /immutable/ })
})

t.test('what is being synced, and nothing at all', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.open(async catalog => {
    const { get } = await serveSetup(t, setup)
    t.match((await get('/')).text, 'There is no repository yet')
    const run = await catalog.beginRun({ repository: 'pypi' })
    const path = `${R}/runs/${run.id}`
    t.match((await get(path)).text, 'has not said anything yet')
    t.match((await get('/')).text, 'running')
    await run.finish('interrupted')
    t.match((await get(path)).text, 'It left no report')
    t.equal((await get(`${R}/`)).status, 200)
  })
})

t.test('nothing is to be changed, and pages are counted', async t => {
  const setup = await syncSetup(t)
  await setup.run()
  const { server, get } = await serveSetup(t, setup)
  for (const method of ['POST', 'DELETE'] as const)
    t.equal((await server.inject({ method, url: `${R}/` })).statusCode, 405)
  await get('/')
  t.match((await get('/-/metrics')).text, 'millrace_http_requests_total{kind="page",status="200"} 1')
})
