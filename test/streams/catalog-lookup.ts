import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import type { KnownPackage } from '../../lib/catalog/known.js'
import { CatalogLookup } from '../../streams/catalog-lookup.js'
import { openCatalog, saveProjects, sdist } from '../helpers/catalog.js'

for (const count of [0, 1, 2, 1000]) {
  t.test(`${count} packages, each once`, async t => {
    const catalog = await openCatalog(t)
    const first = await catalog.beginRun({ repository: 'x' })
    const packages = Array.from({ length: count }, (_, n) => sdist(`p${n % 10}`, `${n}`))
    await saveProjects(
      first,
      packages.filter((_, n) => n % 2 === 0)
    )
    await first.commit()
    await first.finish('done')
    const run = await catalog.beginRun({ repository: 'x' })
    const found: KnownPackage[] = []
    await pipeline(Readable.from(packages), new CatalogLookup({ run, batchSize: 64 }), async source => {
      for await (const item of source) found.push(item)
    })
    t.strictSame(
      found.map(({ filename }) => filename),
      packages.map(({ filename }) => filename)
    )
    t.equal(found.filter(({ known }) => known === 'same').length, Math.ceil(count / 2))
  })
}

t.test('a package does not wait for a batch to fill', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const lookup = new CatalogLookup({ run, maxWaitMs: 1 })
  lookup.write(sdist('a', '1'))
  const [item] = await new Promise<[KnownPackage]>(resolve => lookup.once('data', pkg => resolve([pkg])))
  t.equal(item.filename, 'a-1.tar.gz')
  lookup.destroy()
})

t.test('packages of new projects go on at once', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  await run.lookupProjects([{ project: 'a', name: 'a', url: 'https://index.example/a/' }])
  const lookup = new CatalogLookup({ run, maxWaitMs: 2 ** 31 - 1 })
  lookup.write(sdist('a', '1'))
  t.match(lookup.read(), { filename: 'a-1.tar.gz', known: undefined })
  lookup.destroy()
})

t.test('a catalog that fails', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x' })
  await first.finish('done')
  await catalog.close()
  const lookup = new CatalogLookup({ run: first })
  await t.rejects(
    pipeline(Readable.from([sdist('a', '1')]), lookup, async () => {}),
    { code: 'ERR_MILLRACE_CATALOG' }
  )
})

t.test('bad options', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  t.throws(() => new CatalogLookup({ run, maxWaitMs: -1 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'maxWaitMs'
  })
})
