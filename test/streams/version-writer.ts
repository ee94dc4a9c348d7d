import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { PackageSaver } from '../../streams/package-saver.js'
import { VersionWriter } from '../../streams/version-writer.js'
import { openCatalog, project, readNames, sdist } from '../helpers/catalog.js'

for (const count of [0, 1, 2, 1000]) {
  t.test(`${count} packages make one version, or none`, async t => {
    const catalog = await openCatalog(t)
    const run = await catalog.beginRun({ repository: 'x' })
    const packages = Array.from({ length: count }, (_, n) => sdist('a', `${n}`))
    const writer = new VersionWriter({ run })
    t.equal(writer.result, undefined)
    await pipeline(Readable.from(packages), new PackageSaver({ run, batchSize: 64 }), writer)
    t.strictSame(writer.result, {
      version: count > 0 ? 1 : 0,
      changed: count > 0,
      added: count,
      removed: 0,
      present: count
    })
    t.equal((await readNames(catalog, 'x')).length, count)
  })
}

t.test('the pipeline that fails before its end makes no version', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const writer = new VersionWriter({ run })
  async function* packages() {
    for (let n = 0; n < 100; n++) yield sdist('a', `${n}`)
    throw new Error('refused')
  }
  await t.rejects(pipeline(packages, new PackageSaver({ run, batchSize: 10 }), writer), {
    message: 'refused'
  })
  t.equal(writer.result, undefined)
  t.strictSame(await catalog.versions('x'), [])
  t.strictSame(await readNames(catalog, 'x'), [])
})

t.test('an abort makes no version', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const controller = new AbortController()
  const writer = new VersionWriter({ run, signal: controller.signal })
  const error = new Promise(resolve => writer.once('error', resolve))
  writer.write(sdist('a', '1'))
  controller.abort()
  t.match(await error, { code: 'ABORT_ERR' })
  t.strictSame(await catalog.versions('x'), [])
})

t.test('whether the listing was complete may be known only at the end', async t => {
  for (const completeListing of [true, false, () => true, () => false, undefined]) {
    await t.test(String(completeListing), async t => {
      const catalog = await openCatalog(t)
      const first = await catalog.beginRun({ repository: 'x', mirror: true })
      await first.savePackages([sdist('a', '1'), sdist('b', '1')])
      await first.commit()
      await first.finish('done')
      const run = await catalog.beginRun({ repository: 'x', mirror: true })
      await run.lookupProjects([project('a')])
      const writer = new VersionWriter({ run, completeListing })
      await pipeline(Readable.from([]), writer)
      const complete = typeof completeListing === 'function' ? completeListing() : completeListing === true
      t.equal(writer.result?.removed, complete ? 1 : 0)
    })
  }
})

t.test('a listing that is cut short removes nothing, and with strict it is an error', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x', mirror: true })
  await first.savePackages(Array.from({ length: 20 }, (_, n) => sdist(`p${n}`, '1')))
  await first.commit()
  await first.finish('done')
  for (const [maxRemovals, strict, removed] of [
    [undefined, undefined, 0],
    [0.1, true, undefined],
    [1, true, 19]
  ] as const) {
    await t.test(`${maxRemovals} ${strict}`, async t => {
      const run = await catalog.beginRun({ repository: 'x', mirror: true })
      await run.lookupProjects([project('p0')])
      const writer = new VersionWriter({ run, completeListing: true, maxRemovals, strict })
      const written = pipeline(Readable.from([]), writer)
      if (removed === undefined) await t.rejects(written, { code: 'ERR_MILLRACE_REMOVALS' })
      else await written
      t.equal(writer.result?.removed, removed)
      t.equal(writer.result?.kept?.projects, removed === 0 ? 19 : undefined)
      await run.finish('done')
    })
  }
})

t.test('a commit that fails destroys it', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  await catalog.close()
  await t.rejects(pipeline(Readable.from([]), new VersionWriter({ run })), { code: 'ERR_MILLRACE_CATALOG' })
})

t.test('options', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  t.throws(() => new VersionWriter({ run, highWaterMark: 0 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'highWaterMark'
  })
  for (const maxRemovals of [-0.1, 1.1, Number.NaN]) {
    t.throws(() => new VersionWriter({ run, maxRemovals }), {
      code: 'ERR_MILLRACE_OPTION',
      option: 'maxRemovals'
    })
  }
  t.equal(new VersionWriter({ run, highWaterMark: undefined, signal: undefined }).writableHighWaterMark, 16)
})
