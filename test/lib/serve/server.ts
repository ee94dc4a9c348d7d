import { join } from 'node:path'
import t from 'tap'
import { Catalog } from '../../../lib/catalog/catalog.js'
import { createServer } from '../../../lib/serve/server.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import { ask, serveSetup } from '../../helpers/serve.js'
import { addProject, syncSetup } from '../../helpers/sync.js'

t.test('nothing but GET and HEAD', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  const { origin } = await serveSetup(t, setup)
  for (const path of ['/simple/', '/simple/demo/', '/files/demo/x/y', '/nothing', '/-/health', '/'])
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE']) {
      const { status, headers } = await ask(origin, path, { 'content-type': 'x/y' }, method)
      t.equal(status, 405, `${method} ${path}`)
      t.equal(headers.allow, 'GET, HEAD')
    }
  t.match(await ask(origin, '/nothing'), { status: 404, text: '/simple/' })
  t.match(await ask(origin, '/'), { status: 200, text: /^<!doctype html>/ })
})

t.test('a catalog and a store that the caller has, and keeps', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run({ policy: 'immediate' })
  const catalog = await Catalog.open(setup.catalog)
  const server = await createServer({ catalog, store: new DirectoryStore(setup.store) })
  const { statusCode, body } = await server.inject({ url: '/simple/demo/' })
  t.equal(statusCode, 200)
  const [, url] = /href="([^"#]*)/.exec(body) ?? []
  const file = await server.inject(new URL(url as string, 'http://x/simple/demo/').pathname)
  t.equal(file.rawPayload.length, 15)
  await server.close()
  t.strictSame(await catalog.repositories(), ['pypi'], 'still open')
  await catalog.close()
})

t.test('what went wrong with us is not told to everybody', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  const server = await createServer({ catalog: setup.catalog, store: setup.store })
  t.teardown(() => server.close())
  server.get('/odd', async () => {
    throw new Error('a secret')
  })
  server.get('/teapot', async () => {
    throw Object.assign(new Error('short and stout'), { statusCode: 418 })
  })
  t.match(await server.inject('/odd'), { statusCode: 500, body: /^Something went wrong/ })
  t.match(await server.inject('/teapot'), { statusCode: 418, body: /short and stout/ })
  t.match(await server.inject('/%zz'), { statusCode: 400, body: /%zz/ })
})

t.test('options that cannot be, before anything is opened', async t => {
  const catalog = join(t.testdir(), 'none.db')
  for (const [options, option] of [
    [{ repository: '' }, 'repository'],
    [{ coolDownMs: -1 }, 'coolDownMs'],
    [{ policy: 'never' as never }, 'policy'],
    [{ maxRetries: -1 }, 'maxRetries'],
    [{ store: '' }, 'store']
  ] as const)
    await t.rejects(createServer({ catalog, ...options }), { code: 'ERR_MILLRACE_OPTION', option })
  await t.rejects(createServer({ catalog }), { code: 'ERR_MILLRACE_CATALOG' })
  await t.rejects(createServer(), { code: 'ERR_MILLRACE_CATALOG' })
})
