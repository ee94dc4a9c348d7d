import t from 'tap'
import { Catalog } from '../../../lib/catalog/catalog.js'
import type { KnownPackage } from '../../../lib/catalog/known.js'
import type { Package } from '../../../lib/pypi/package.js'
import { openCatalog, project, readAll, saveProjects, sdist } from '../../helpers/catalog.js'
import { CODES, newLocation } from '../../helpers/database.js'

const a1 = sdist('a', '1')
const a2 = sdist('a', '2')
const b1 = sdist('b', '1')

function known(packages: readonly KnownPackage[]) {
  return packages.map(pkg => [pkg.filename, pkg.known, pkg.stored])
}

t.test('says what it is', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x', mirror: true })
  t.match(run, { id: 1, repository: 'x', mirror: true, resumed: false })
})

t.test('packages of projects that are new are not looked up', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const packages = [a1, b1]
  t.strictSame(await run.lookupPackages(packages), packages, 'not even their projects are known')
  await run.lookupProjects([project('a'), project('b')])
  t.equal(await run.lookupPackages(packages), packages, 'the run made their projects')
  t.strictSame(await run.lookupPackages([]), [])
})

t.test('new, changed and the same', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x' })
  await saveProjects(first, [a1, a2])
  await first.commit()
  await first.finish('done')
  const run = await catalog.beginRun({ repository: 'x' })
  const asked: Package[] = [b1, { ...a2, yanked: 'x' }, sdist('a', '3'), a1]
  const found = await run.lookupPackages(asked)
  t.strictSame(known(found), [
    ['b-1.tar.gz', undefined, undefined],
    ['a-2.tar.gz', 'changed', undefined],
    ['a-3.tar.gz', 'new', undefined],
    ['a-1.tar.gz', 'same', undefined]
  ])
  for (const [at, pkg] of asked.entries()) t.match(found[at], pkg)
  t.notOk('known' in (asked[1] as Package), 'what the caller gave is not changed')
})

t.test('saved with or without having been looked up, the outcome is one', async t => {
  for (const lookUp of [true, false]) {
    await t.test(String(lookUp), async t => {
      const catalog = await openCatalog(t)
      const states = [
        [a1, a2],
        [a1, { ...a2, yanked: 'x' }, sdist('a', '3')]
      ]
      for (const packages of states) {
        const run = await catalog.beginRun({ repository: 'x' })
        await run.savePackages(lookUp ? await run.lookupPackages(packages) : packages)
        await run.commit()
        await run.finish('done')
      }
      t.match(await catalog.versions('x'), [
        { added: 2, removed: 0 },
        { added: 2, removed: 1, present: 3 }
      ])
    })
  }
})

t.test('knows which files the store holds', async t => {
  const catalog = await openCatalog(t)
  const sha256 = a1.digests.sha256 as string
  const bare = sdist('a', '3', { digests: {} })
  const first = await catalog.beginRun({ repository: 'x' })
  await first.savePackages(
    [a1, a2, bare],
    new Map([
      [a1, { sha256, size: 1000 }],
      [bare, { sha256: 'ee'.repeat(32), size: 1000 }]
    ])
  )
  const elsewhere = sdist('c', '9', { digests: { sha256 } })
  t.strictSame(known(await first.lookupPackages([elsewhere])), [['c-9.tar.gz', undefined, sha256]])
  await first.commit()
  await first.finish('done')

  const run = await catalog.beginRun({ repository: 'x' })
  const asked = [
    a1,
    a2,
    bare,
    { ...a1, yanked: 'x' },
    { ...bare, yanked: 'x' },
    { ...bare, size: 5 },
    elsewhere
  ]
  t.strictSame(known(await run.lookupPackages(asked)), [
    ['a-1.tar.gz', 'same', sha256],
    ['a-2.tar.gz', 'same', undefined],
    ['a-3.tar.gz', 'same', 'ee'.repeat(32)],
    ['a-1.tar.gz', 'changed', sha256],
    ['a-3.tar.gz', 'changed', 'ee'.repeat(32)],
    ['a-3.tar.gz', 'changed', undefined],
    ['c-9.tar.gz', undefined, sha256]
  ])
  t.strictSame(known(await run.lookupPackages([bare])), [['a-3.tar.gz', 'same', 'ee'.repeat(32)]])
  await run.savePackages(await run.lookupPackages([{ ...bare, yanked: 'x' }]))
  await run.commit()
  t.match(await readAll(catalog, 'x', { project: 'a' }), [
    { file: sha256 },
    { file: undefined },
    { file: 'ee'.repeat(32), yanked: 'x' }
  ])
})

t.test('a file that comes later is noted without a new version', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x' })
  await first.savePackages([a1])
  await first.commit()
  await first.finish('done')
  const run = await catalog.beginRun({ repository: 'x' })
  const [found] = await run.lookupPackages([a1])
  const sha256 = a1.digests.sha256 as string
  await run.savePackages([found as KnownPackage], new Map([[found as KnownPackage, { sha256, size: 1000 }]]))
  t.match(await run.commit(), { version: 1, changed: false })
  t.match(await readAll(catalog, 'x'), [{ file: sha256 }])
})

t.test('what the ledger settled is written before the commit', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  await run.savePackages([a1])
  run.ledger.announce({ project: 'a', packages: 1, etag: '"e"' })
  run.ledger.settle('a')
  await run.commit()
  await run.finish('done')
  const next = await catalog.beginRun({ repository: 'x' })
  t.match(await next.lookupProjects([project('a')]), [{ headers: { 'if-none-match': '"e"' } }])
})

t.test('a batch that cannot be saved leaves nothing, and no id is remembered', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const bad = { ...b1, filename: null as unknown as string }
  await t.rejects(run.savePackages([a1, bad]), {
    code: 'ERR_MILLRACE_CATALOG',
    cause: { code: CODES.notNull }
  })
  await run.savePackages([a1])
  t.match(await run.commit(), { version: 1, added: 1 })
})

t.test('a commit that fails shows nothing', async t => {
  const location = await newLocation(t, t.testdir())
  const catalog = await Catalog.open(location)
  const run = await catalog.beginRun({ repository: 'x' })
  await run.savePackages([a1])
  await catalog.close()
  await t.rejects(run.commit(), { code: 'ERR_MILLRACE_CATALOG' })
  await t.rejects(run.finish('failed'), { code: 'ERR_MILLRACE_CATALOG' })
  const again = await Catalog.open(location)
  t.teardown(() => again.close())
  t.strictSame(await again.versions('x'), [])
  t.strictSame(await readAll(again, 'x'), [])
})
