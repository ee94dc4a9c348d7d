import { createHash } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t, { type Test } from 'tap'
import type { BrokenFile, Holder } from '../../lib/catalog/verification.js'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import { FileRepairer, type RepairedFile } from '../../streams/file-repairer.js'
import { openCatalog } from '../helpers/catalog.js'
import { indexServer } from '../helpers/index-server.js'

const data = 'what it should be'
const sha256 = createHash('sha256').update(data).digest('hex')

/** A catalog whose repository was synced from `indexUrl`, an empty store, and a server that has the file at `/good`. */
async function setUp(t: Test, options: object = { indexUrl: 'http://127.0.0.1/simple/' }) {
  const index = await indexServer(t, { projects: 0 })
  index.route('/good', { body: data })
  index.route('/other', { body: 'something else' })
  const catalog = await openCatalog(t)
  await (await catalog.beginRun({ repository: 'x', options })).finish('done')
  const verification = await catalog.beginVerification({ repair: true })
  const store = new DirectoryStore(`${t.testdirName}/store`)
  const holder = (path: string): Holder => ({
    ...{ id: 1, projectId: 1, project: 'a', filename: 'a-1.tar.gz', repositoryId: 1 },
    url: `${index.origin}${path}`
  })
  const broken = (...paths: string[]): BrokenFile => ({
    ...{ sha256, size: data.length, read: 0, holders: paths.map(holder) },
    wrong: { kind: 'missing', message: 'gone' }
  })
  const repairer = (more = {}) => new FileRepairer({ verification, store, maxRetries: 0, ...more })
  const repair = async (...files: BrokenFile[]) => {
    const repaired: RepairedFile[] = []
    await pipeline(Readable.from(files), repairer(), async (source: AsyncIterable<RepairedFile>) => {
      for await (const file of source) repaired.push(file)
    })
    return repaired
  }
  return { index, store, verification, broken, repairer, repair }
}

t.test('a file is fetched from where one of its packages says', async t => {
  const { broken, repair, store, index } = await setUp(t)
  t.match(await repair(broken('/good')), [{ repaired: true, sha256 }])
  t.equal(await store.size(sha256), data.length)
  await store.delete(sha256)
  t.match(await repair(broken('/none', '/none', '/other', '/good')), [{ repaired: true }])
  t.match(
    await repair(broken('/1', '/2', '/3', '/4', '/good')),
    [{ repaired: false }],
    'of four places at most'
  )
  t.equal(index.requests('/none').length, 1)
  t.match(await repair(broken('/other')), [{ repaired: false, why: /sha256/ }])
  t.equal(await store.size(sha256), undefined, 'what is broken does not stay')
  t.match(await repair(broken()), [{ repaired: true }], 'nor what nobody needs')
})

t.test('a public index does not lead to private addresses', async t => {
  for (const [options, repaired] of [
    [{ indexUrl: 'https://index.example/simple/' }, false],
    [{ indexUrl: 'https://index.example/simple/', allowPrivate: true }, true],
    [{ indexUrl: 'http://localhost/simple/' }, true],
    [{ indexUrl: 'http://localhost/simple/', allowPrivate: false }, false],
    [{ indexUrl: 'no URL' }, false],
    [{}, false]
  ] as const) {
    await t.test(JSON.stringify(options), async t => {
      const { broken, repair, index } = await setUp(t, options)
      t.match(await repair(broken('/good'), broken('/good')), [{ repaired }, { repaired }])
      t.equal(index.stats().requests, repaired ? 2 : 0)
    })
  }
})

t.test('a store that cannot be written ends it', async t => {
  const { broken, repair, store } = await setUp(t)
  rmSync(store.directory, { recursive: true, force: true })
  writeFileSync(store.directory, 'no folder')
  await t.rejects(repair(broken('/good')), { code: 'ERR_MILLRACE_STORE' })
})

t.test('destroyed it gives up what is in flight', async t => {
  const { broken, repairer, index } = await setUp(t)
  const asked = new Promise<void>(resolve => index.route('/never', () => resolve()))
  const stage = repairer()
  stage.write(broken('/never'))
  await asked
  await new Promise(done => stage.on('close', done).destroy())
  t.equal(stage.inFlight, 0)
})

t.test('bad options', async t => {
  const { repairer } = await setUp(t)
  t.throws(() => repairer({ maxRetries: -1 }), { code: 'ERR_MILLRACE_OPTION', option: 'maxRetries' })
  t.throws(() => repairer({ concurrency: 0 }), { code: 'ERR_MILLRACE_OPTION', option: 'concurrency' })
})
