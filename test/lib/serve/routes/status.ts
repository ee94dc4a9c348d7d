import t from 'tap'
import { pathOf, serveSetup } from '../../../helpers/serve.js'
import { addProject, syncSetup } from '../../../helpers/sync.js'

t.test('health, as long as the catalog can be read', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  const { get, server } = await serveSetup(t, setup)
  const { status, text, headers } = await get('/-/health')
  t.equal(status, 200)
  t.strictSame(JSON.parse(text), { status: 'ok', repository: 'pypi', version: 1 })
  t.equal(headers['cache-control'], 'no-store')
  const other = await serveSetup(t, setup, { repository: 'not-yet' })
  t.strictSame(JSON.parse((await other.get('/-/health')).text).version, null)

  const { Catalog } = await import('../../../../lib/catalog/catalog.js')
  const catalog = await Catalog.open(setup.catalog)
  const lost = await serveSetup(t, { ...setup, catalog: catalog as never })
  await catalog.close()
  const failing = await lost.get('/-/health')
  t.equal(failing.status, 503)
  t.match(JSON.parse(failing.text), { status: 'failing' })
  const page = await lost.get('/simple/')
  t.equal(page.status, 500)
  t.equal(lost.log.length, 1)
  await server.close()
})

t.test('what is counted', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  const { get, page } = await serveSetup(t, setup)
  const path = pathOf((await page('demo')).files[0]?.url as string, 'demo')
  await get(path)
  await get(path)
  await get('/simple/')
  await get('/simple/demo/', { accept: 'application/json' })
  await get('/nothing')
  const { text, headers } = await get('/-/metrics')
  t.match(headers['content-type'], 'text/plain; version=0.0.4')
  for (const line of [
    'millrace_http_requests_total{kind="project",status="200"} 2',
    'millrace_http_requests_total{kind="listing",status="200"} 1',
    'millrace_http_requests_total{kind="file",status="200"} 2',
    'millrace_http_requests_total{kind="other",status="404"} 1',
    'millrace_http_request_duration_seconds_count{kind="file"} 2',
    'millrace_files_total{origin="upstream"} 1',
    'millrace_files_total{origin="store"} 1',
    'millrace_page_lookups_total{result="hit"} 1',
    'millrace_page_lookups_total{result="miss"} 1',
    'millrace_upstream_bytes_total 15',
    'millrace_downloads_in_flight 0'
  ])
    t.ok(text.includes(`${line}\n`), line)
  t.match(text, /millrace_http_sent_bytes_total\{kind="file"\} [1-9]\d+/)
})
