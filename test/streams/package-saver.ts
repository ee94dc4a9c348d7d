import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t, { type Test } from 'tap'
import type { KnownPackage } from '../../lib/catalog/known.js'
import { Body, type Downloaded } from '../../lib/http/body.js'
import type { Package } from '../../lib/pypi/package.js'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import { CatalogLookup } from '../../streams/catalog-lookup.js'
import { PackageSaver, packageOf, type Savable } from '../../streams/package-saver.js'
import { openCatalog, readAll, sdist } from '../helpers/catalog.js'
import { settled, until } from '../helpers/http.js'

/** A package whose file is `content`, as a downloader gives it; the large ones lie in `folder`. */
function download(pkg: Package, content: string, folder?: string): Downloaded<KnownPackage> {
  const data = Buffer.from(content)
  const sha256 = createHash('sha256').update(data).digest('hex')
  let body = new Body(data, { sha256 })
  if (folder !== undefined) {
    const path = join(folder, `${pkg.filename}.tmp`)
    writeFileSync(path, data)
    body = new Body({ path, size: data.length }, { sha256 })
  }
  const item = { ...pkg, digests: { sha256 }, size: data.length }
  return { item, url: pkg.url, status: 200, headers: {}, body, attempts: 1 }
}

function passedBy(item: KnownPackage): Downloaded<KnownPackage> {
  return { item, url: item.url, status: 0, headers: {}, body: new Body(Buffer.alloc(0)), attempts: 0 }
}

async function setUp(t: Test) {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const store = new DirectoryStore(join(t.testdirName, 'store'))
  // Makes the folders.
  await store.put(new Body(Buffer.from('there already')))
  return { catalog, run, store }
}

async function save(saver: PackageSaver, items: Iterable<Savable>): Promise<KnownPackage[]> {
  const saved: KnownPackage[] = []
  await pipeline(Readable.from(items), saver, async source => {
    for await (const pkg of source) saved.push(pkg)
  })
  return saved
}

for (const count of [0, 1, 2, 480, 481, 2000]) {
  t.test(`${count} packages, each once and in order`, async t => {
    const { catalog, run } = await setUp(t)
    const packages = Array.from({ length: count }, (_, n) => sdist(`p${n % 30}`, `${n}`))
    const saver = new PackageSaver({ run })
    let told = 0
    saver.on('saved', (batch: KnownPackage[]) => {
      told += batch.length
    })
    t.strictSame(await save(saver, packages), packages)
    t.equal(told, count)
    t.equal(saver.saved, count)
    await run.commit()
    t.equal((await readAll(catalog, 'x')).length, count)
  })
}

t.test('a package is passed on after its commit', async t => {
  const { run } = await setUp(t)
  const saver = new PackageSaver({ run, batchSize: 2 })
  const savePackages = run.savePackages.bind(run)
  let committed = 0
  run.savePackages = async (packages, files) => {
    await savePackages(packages, files)
    committed += packages.length
  }
  let passed = 0
  await pipeline(
    Readable.from(Array.from({ length: 9 }, (_, n) => sdist('a', `${n}`))),
    saver,
    async source => {
      for await (const _ of source) t.ok(++passed <= committed)
    }
  )
  t.equal(passed, 9)
})

t.test('files go into the store, and their packages say so', async t => {
  const { catalog, run, store } = await setUp(t)
  const items = [
    download(sdist('a', '1'), 'one'),
    download(sdist('a', '2'), 'two', store.temporaryDirectory),
    sdist('a', '3'),
    passedBy({ ...sdist('a', '4'), stored: 'ab' }),
    download(sdist('a', '5'), 'one')
  ]
  const saver = new PackageSaver({ run, store })
  let brought = 0
  saver.on('saved', (_packages, files: number) => {
    brought += files
  })
  const saved = await save(saver, items)
  t.equal(brought, 3)
  const digests = items.slice(0, 2).map(item => packageOf(item).digests.sha256 as string)
  const [one, two] = digests as [string, string]
  t.strictSame(
    saved.map(({ filename, stored }) => [filename, stored]),
    [
      ['a-1.tar.gz', one],
      ['a-2.tar.gz', two],
      ['a-3.tar.gz', undefined],
      ['a-4.tar.gz', 'ab'],
      ['a-5.tar.gz', one]
    ]
  )
  t.equal(await store.size(one), 3)
  t.equal(await store.size(two), 3)
  t.strictSame(readdirSync(store.temporaryDirectory), [])
  await run.commit()
  t.strictSame(
    (await readAll(catalog, 'x')).map(({ file }) => file),
    [one, two, undefined, 'ab', one]
  )
})

t.test('without a store, bodies are discarded', async t => {
  const { catalog, run } = await setUp(t)
  const folder = join(t.testdirName, 'store', 'tmp')
  await save(new PackageSaver({ run, store: undefined }), [download(sdist('a', '1'), 'one', folder)])
  t.strictSame(readdirSync(folder), [])
  await run.commit()
  t.match(await readAll(catalog, 'x'), [{ file: undefined }])
})

t.test('a file that is not what its package says is skipped', async t => {
  const { catalog, run, store } = await setUp(t)
  const wrong = download(sdist('a', '2'), 'two', store.temporaryDirectory)
  const item = { ...wrong, item: sdist('a', '2') }
  const saver = new PackageSaver({ run, store })
  const skipped: [unknown, Error][] = []
  saver.on('skip', (skippedItem, error) => skipped.push([skippedItem, error]))
  await save(saver, [download(sdist('a', '1'), 'one'), item, sdist('a', '3')])
  t.equal(skipped.length, 1)
  t.equal(skipped[0]?.[0], item)
  t.match(skipped[0]?.[1], { code: 'ERR_MILLRACE_DIGEST', url: item.item.url })
  t.equal(saver.saved, 2)
  t.strictSame(readdirSync(store.temporaryDirectory), [])
  await run.commit()
  t.strictSame(
    (await readAll(catalog, 'x')).map(({ filename }) => filename),
    ['a-1.tar.gz', 'a-3.tar.gz']
  )
})

t.test('a batch of which all is skipped', async t => {
  const { run, store } = await setUp(t)
  const saver = new PackageSaver({ run, store })
  saver.on('skip', () => {})
  t.strictSame(await save(saver, [{ ...download(sdist('a', '1'), 'one'), item: sdist('a', '1') }]), [])
  t.match(await run.commit(), { changed: false })
})

t.test('skipped with nobody listening, it ends', async t => {
  const { run, store } = await setUp(t)
  const items = Array.from({ length: 20 }, (_, n) => {
    const item = download(sdist('a', `${n}`), `${n}`, store.temporaryDirectory)
    return n === 3 ? { ...item, item: sdist('a', `${n}`) } : item
  })
  await t.rejects(save(new PackageSaver({ run, store }), items), { code: 'ERR_MILLRACE_DIGEST' })
  t.strictSame(readdirSync(store.temporaryDirectory), [], 'no body of the batch is left')
  t.match(await run.commit(), { changed: false })
})

t.test('a store that cannot be written ends it', async t => {
  const { run, store } = await setUp(t)
  const broken = new DirectoryStore(join(store.directory, 'sha256', 'file'))
  writeFileSync(broken.directory, '')
  const saver = new PackageSaver({ run, store: broken })
  saver.on('skip', () => t.fail('it is the store, not the file'))
  const items = [download(sdist('a', '1'), 'one', store.temporaryDirectory)]
  await t.rejects(save(saver, items), { code: 'ERR_MILLRACE_STORE' })
  t.strictSame(readdirSync(store.temporaryDirectory), [])
})

t.test('a catalog that cannot be written ends it, and shows nothing', async t => {
  const { catalog, run } = await setUp(t)
  await catalog.close()
  await t.rejects(save(new PackageSaver({ run }), [sdist('a', '1')]), { code: 'ERR_MILLRACE_CATALOG' })
})

t.test('an abort discards the bodies that were collected', async t => {
  const { run, store } = await setUp(t)
  const controller = new AbortController()
  const saver = new PackageSaver({ run, store, signal: controller.signal, maxWaitMs: 60_000 })
  const error = new Promise(resolve => saver.once('error', resolve))
  const closed = new Promise(resolve => saver.once('close', resolve))
  saver.write(download(sdist('a', '1'), 'one', store.temporaryDirectory))
  saver.write(sdist('a', '2'))
  controller.abort()
  t.match(await error, { code: 'ABORT_ERR' })
  await closed
  t.strictSame(readdirSync(store.temporaryDirectory), [])
  t.match(await run.commit(), { changed: false })
})

t.test('an abort while files are put ends it after those in work', async t => {
  const { run, store } = await setUp(t)
  const controller = new AbortController()
  const put = store.put.bind(store)
  const aborted = once(controller.signal, 'abort')
  let taken = 0
  let puts = 0
  const collected = until(() => taken === 40).then(() => settled())
  store.put = async (body, options) => {
    if (++puts === store.concurrency) collected.then(() => controller.abort())
    await aborted
    return await put(body, options)
  }
  const items = function* () {
    for (; taken < 40; taken++) yield download(sdist('a', `${taken}`), `${taken}`, store.temporaryDirectory)
  }
  await t.rejects(save(new PackageSaver({ run, store, signal: controller.signal }), items()), {
    code: 'ABORT_ERR'
  })
  t.equal(puts, store.concurrency)
  t.strictSame(readdirSync(store.temporaryDirectory), [])
})

t.test('many bytes make a batch full', async t => {
  const { run, store } = await setUp(t)
  const sizes: number[] = []
  const saver = new PackageSaver({ run, store, maxWaitMs: 60_000 })
  saver.on('saved', (batch: KnownPackage[]) => sizes.push(batch.length))
  const mebibytes = (n: number) => download(sdist('a', `${n}`), String(n).repeat(6 * 1024 * 1024))
  await save(saver, [mebibytes(1), mebibytes(2), mebibytes(3), mebibytes(4)])
  t.strictSame(sizes, [3, 1])
})

t.test('many files make a batch full', async t => {
  const { run, store } = await setUp(t)
  const sizes: number[] = []
  const saver = new PackageSaver({ run, store, maxWaitMs: 60_000 })
  saver.on('saved', (batch: KnownPackage[]) => sizes.push(batch.length))
  const items = Array.from({ length: 70 }, (_, n) => download(sdist('a', `${n}`), `${n}`))
  await save(saver, [sdist('b', '1'), ...items])
  t.strictSame(sizes, [33, 32, 6], 'those without one are not counted')
})

t.test('after a lookup, what is known is not saved again', async t => {
  const { catalog, run } = await setUp(t)
  const packages = [sdist('a', '1'), sdist('a', '2')]
  await save(new PackageSaver({ run }), packages)
  await run.commit()
  await run.finish('done')
  const next = await catalog.beginRun({ repository: 'x' })
  const saver = new PackageSaver({ run: next })
  await pipeline(
    Readable.from([...packages, sdist('a', '3')]),
    new CatalogLookup({ run: next }),
    saver,
    async source => {
      for await (const pkg of source) t.ok(pkg.known)
    }
  )
  t.match(await next.commit(), { version: 2, added: 1, removed: 0, present: 3 })
})

t.test('bad options', async t => {
  const { run } = await setUp(t)
  t.throws(() => new PackageSaver({ run, batchSize: 0 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'batchSize'
  })
})
