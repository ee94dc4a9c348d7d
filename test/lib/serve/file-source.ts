import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { StoreError } from '../../../lib/errors.js'
import { sharedDispatcher } from '../../../lib/http/agent.js'
import { Origins } from '../../../lib/http/origins.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import { readAll, saveProjects } from '../../helpers/catalog.js'
import { pathOf, serveSetup } from '../../helpers/serve.js'
import { addProject, syncSetup } from '../../helpers/sync.js'
import { wheelOf } from '../../helpers/zip.js'

t.test('a store that takes nothing more does not keep clients from their file', async t => {
  class FullStore extends DirectoryStore {
    override async put(): Promise<never> {
      throw new StoreError('somewhere', 'write', new Error('no space left'))
    }
  }
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  const { get, page, log } = await serveSetup(t, { ...setup, store: new FullStore(setup.store) as never })
  const path = pathOf((await page('demo')).files[0]?.url as string, 'demo')
  for (let time = 0; time < 2; time++) {
    const { status, text } = await get(path)
    t.strictSame([status, text], [200, 'demo-1.0.tar.gz'])
  }
  t.match(log, [/no space left.*ERR_MILLRACE_STORE/, /ERR_MILLRACE_STORE/])
})

t.test('a store that fails as none should', async t => {
  class OddStore extends DirectoryStore {
    override async put(): Promise<never> {
      throw new TypeError('odd')
    }
  }
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  const { get, page } = await serveSetup(t, { ...setup, store: new OddStore(setup.store) as never })
  const path = pathOf((await page('demo')).files[0]?.url as string, 'demo')
  t.not((await get(path)).text, 'demo-1.0.tar.gz')
})

t.test('a file that comes into the store while its package is looked up is not fetched', async t => {
  let looks = 0
  class LateStore extends DirectoryStore {
    override async size(sha256: string): Promise<number | undefined> {
      return looks++ === 0 ? undefined : await super.size(sha256)
    }
  }
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run({ policy: 'immediate' })
  const { get, page } = await serveSetup(
    t,
    { ...setup, store: new LateStore(setup.store) as never },
    { origins: new Origins() }
  )
  const path = pathOf((await page('demo')).files[0]?.url as string, 'demo')
  const before = setup.index.stats().requests
  t.match(await get(path), { status: 200, text: 'demo-1.0.tar.gz' })
  t.equal(setup.index.stats().requests, before)
  t.ok(looks > 1)
})

t.test('what no sync brought is fetched from public addresses only', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  await setup.open(async catalog => {
    const packages = await readAll(catalog, 'pypi')
    const run = await catalog.beginRun({ repository: 'own' })
    await saveProjects(run, packages)
    await run.commit()
    await run.finish('done')
  })
  const { get, page } = await serveSetup(t, setup)
  const path = pathOf((await page('demo', '/own')).files[0]?.url as string, 'demo', '/own')
  t.match(await get(path), { status: 502, text: /ERR_MILLRACE_URL/ })
})

t.test('a file of which nobody told when it was uploaded', async t => {
  const setup = await syncSetup(t)
  const path = '/files/packages/demo-1.0.tar.gz'
  setup.index.index.add({
    name: 'demo',
    files: [{ filename: 'demo-1.0.tar.gz', path, uploadTime: undefined }]
  })
  setup.index.route(path, { body: 'demo-1.0.tar.gz' })
  await setup.run()
  const asked: boolean[] = []
  const dispatcher = (allowPrivate: boolean) => {
    asked.push(allowPrivate)
    return sharedDispatcher(allowPrivate)
  }
  const { get, page } = await serveSetup(t, setup, { dispatcher })
  const file = pathOf((await page('demo')).files[0]?.url as string, 'demo')
  const { status, headers } = await get(file)
  t.equal(status, 200)
  t.ok(headers.etag)
  t.equal(headers['last-modified'], undefined)
  t.strictSame(asked, [true], 'its index is on a private address itself')
})

t.test('no place for what comes in is our failure, not that of upstream', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run()
  mkdirSync(setup.store, { recursive: true })
  writeFileSync(join(setup.store, 'tmp'), 'a file where a folder should be')
  const { get, page, log } = await serveSetup(t, setup, { maxRetries: 0 })
  const path = pathOf((await page('demo')).files[0]?.url as string, 'demo')
  t.match(await get(path), { status: 500, text: /ERR_MILLRACE_TEMPORARY_FILE/ })
  t.equal(log.length, 1)
})

t.test('METADATA that is not what the index promised is asked for upstream', async t => {
  const setup = await syncSetup(t)
  const { filename, content, metadata } = wheelOf('demo', '1.0')
  const promised = metadata.replace('2.1', '2.2')
  const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex')
  const path = `/files/packages/${filename}`
  const add = (coreMetadata: true | Record<string, string>) =>
    setup.index.index.add({
      name: 'demo',
      files: [{ filename, path, size: content.length, hashes: { sha256: sha256(content) }, coreMetadata }]
    })
  add({ sha256: sha256(promised) })
  setup.index.route(path, { body: content })
  setup.index.route(`${path}.metadata`, { body: promised })
  await setup.run({ policy: 'immediate' })
  const { get, page, server } = await serveSetup(t, setup)
  const url = async () => `${pathOf((await page('demo')).files[0]?.url as string, 'demo')}.metadata`
  t.equal((await get(await url())).text, promised)

  add(true)
  await setup.run({ policy: 'immediate' })
  const own = await get(await url())
  t.equal(own.text, metadata, 'promised without a digest, the one in the wheel is good')
  t.equal(own.headers.etag, undefined)
  await server.close()

  const folder = t.testdir()
  const other = { catalog: join(folder, 'catalog.db'), store: join(folder, 'store') }
  await setup.run({ ...other })
  const elsewhere = await serveSetup(t, other)
  const before = setup.index.requests('.metadata').length
  for (let time = 0; time < 2; time++) t.equal((await elsewhere.get(await url2())).text, promised)
  t.equal(setup.index.requests('.metadata').length - before, 2, 'not kept: nobody would find it')
  async function url2() {
    return `${pathOf((await elsewhere.page('demo')).files[0]?.url as string, 'demo')}.metadata`
  }
})

t.test('a file that the store has from another catalog', async t => {
  const setup = await syncSetup(t)
  addProject(setup.index, 'demo', '1.0')
  await setup.run({ policy: 'immediate' })
  const other = { catalog: join(t.testdirName, 'other.db'), store: setup.store }
  await setup.run({ ...other, policy: 'on-demand' })
  setup.index.reset()
  const { get, page, server } = await serveSetup(t, other)
  const { url = '' } = (await page('demo')).files[0] ?? {}
  for (let time = 0; time < 2; time++) t.equal((await get(pathOf(url, 'demo'))).text, 'demo-1.0.tar.gz')
  await server.close()
  t.equal(setup.index.stats().requests, 0)
})
