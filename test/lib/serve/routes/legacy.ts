import t from 'tap'
import { serveSetup } from '../../../helpers/serve.js'
import { addProject, syncSetup } from '../../../helpers/sync.js'

t.test('the document, with URLs that lead to the files from anywhere', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0', '2.0')
  await setup.run({ policy: 'immediate' })
  const { get, head, origin } = await serveSetup(t, setup)
  for (const root of ['', '/pypi', '/pypi@1']) {
    const { status, headers, text } = await get(`${root}/pypi/demo/json`)
    t.equal(status, 200)
    t.match(headers, { 'content-type': /^application\/json/, 'x-pypi-last-serial': /^\d+$/, etag: /^W\// })
    const { info, releases, urls } = JSON.parse(text)
    t.match(info, { name: 'demo', version: '2.0' })
    t.strictSame(Object.keys(releases), ['1.0', '2.0'])
    t.ok(decodeURIComponent(urls[0].url).startsWith(`${origin}${root}/files/demo/`), urls[0].url)
    t.equal((await get(new URL(urls[0].url).pathname)).status, 200)
    t.equal((await get(`${root}/pypi/demo/json`, { 'if-none-match': headers.etag as string })).status, 304)
    t.equal((await head(`${root}/pypi/demo/json`)).status, 200)
  }
  t.equal((await get('/pypi/other/json')).status, 404)
  t.equal((await get('/pypi@7/pypi/demo/json')).status, 404)
})
