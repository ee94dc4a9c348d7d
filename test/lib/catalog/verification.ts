import t from 'tap'
import { openCatalog, project, sdist } from '../../helpers/catalog.js'

t.test('verifications that repair have all repositories to themselves', async t => {
  const catalog = await openCatalog(t)
  await (await catalog.beginRun({ repository: 'a' })).finish('done')
  const run = await catalog.beginRun({ repository: 'b' })
  await t.rejects(catalog.beginVerification({ repair: true }), { code: 'ERR_MILLRACE_BUSY', repository: 'b' })
  await (await catalog.beginVerification({ repair: undefined })).end()
  await (await catalog.beginRun({ repository: 'a' })).finish('done')
  await run.finish('done')
  const verification = await catalog.beginVerification({ repair: true })
  await t.rejects(catalog.beginRun({ repository: 'a' }), { code: 'ERR_MILLRACE_BUSY' })
  await t.rejects(catalog.beginVerification({ repair: true }), { code: 'ERR_MILLRACE_BUSY', repository: 'a' })
  await verification.end()
  await (await catalog.beginRun({ repository: 'a' })).finish('done')
})

t.test('rows that do not fit together, a page at a time', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const packages = Array.from({ length: 1500 }, (_, n) => sdist('a', `${n}`))
  await run.lookupProjects([project('a')])
  const files = packages.map(
    (pkg, n) => [pkg, { sha256: n.toString(16).padStart(64, '0'), size: 1000 }] as const
  )
  await run.savePackages(packages, new Map(files))
  await run.commit()
  await run.finish('done')
  const verification = await catalog.beginVerification({ repair: true })
  const all = async <T>(rows: AsyncIterable<T>) => {
    const found: T[] = []
    for await (const row of rows) found.push(row)
    return found
  }
  const now = new Date().toISOString()
  t.strictSame(await verification.totals(now, 0.5), { files: 750, bytes: 750_000 })
  t.equal((await all(verification.files(now, 1500))).length, 1500)
  t.equal((await all(verification.files(now, 1200))).length, 1200)
  t.strictSame(await all(verification.unknown()), [])
  t.strictSame(await all(verification.unneeded()), [])

  const mismatches = await all(verification.mismatches())
  t.equal(new Set(mismatches.map(({ id }) => id)).size, 1500, 'they state other digests')
  t.match(mismatches[0], { project: 'a', filename: 'a-0.tar.gz', message: /another digest or size/ })
  await verification.clear(mismatches)
  t.equal((await all(verification.unneeded())).length, 1500)
  t.equal((await verification.forget()).length, 1500)
  t.strictSame(await verification.strangers(['x']), new Set(['x']))
  await verification.adopt({ sha256: 'x', size: 1 }, now)
  await verification.adopt({ sha256: 'x', size: 1 }, now)
  t.strictSame(await verification.strangers(['x']), new Set())
  await verification.end()
})
