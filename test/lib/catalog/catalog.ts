import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { Catalog } from '../../../lib/catalog/catalog.js'
import { locationOf, openCatalog, project, readNames, saveProjects, sdist } from '../../helpers/catalog.js'
import { sqliteOnly } from '../../helpers/database.js'

t.test('bad options', async t => {
  await t.rejects(Catalog.open(''), { code: 'ERR_MILLRACE_OPTION', option: 'catalog' })
  await t.rejects(Catalog.open('mysql://user:secret@db/x'), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'catalog',
    message: /^((?!secret).)*$/
  })
  const path = join(t.testdir(), 'x.db')
  t.notOk(await Catalog.exists(path))
  await t.rejects(Catalog.open(path, { create: false }), { code: 'ERR_MILLRACE_CATALOG' })
  const catalog = await Catalog.open(path, { create: undefined })
  t.ok(await Catalog.exists(path))
  await t.rejects(catalog.beginRun({ repository: '' }), { code: 'ERR_MILLRACE_OPTION', option: 'repository' })
  t.equal(catalog.location, path)
  await catalog.close()
})

t.test('one run of a repository at a time, of several repositories any number', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({
    repository: 'one',
    mirror: undefined,
    options: undefined,
    optionsKey: undefined
  })
  await t.rejects(catalog.beginRun({ repository: 'one' }), { code: 'ERR_MILLRACE_BUSY', repository: 'one' })
  const other = await Catalog.open(locationOf(catalog))
  await t.rejects(other.beginRun({ repository: 'one' }), { code: 'ERR_MILLRACE_BUSY' })
  const second = await other.beginRun({ repository: 'two' })
  await first.finish('failed')
  const third = await other.beginRun({ repository: 'one' })
  await second.finish('done')
  await third.finish('done')
  await other.close()
  t.strictSame(await catalog.repositories(), ['one', 'two'])
})

t.test('a catalog that is closed gives its locks back', async t => {
  const catalog = await openCatalog(t)
  const other = await Catalog.open(locationOf(catalog))
  await other.beginRun({ repository: 'x' })
  await other.close()
  await (await catalog.beginRun({ repository: 'x' })).finish('done')
})

t.test('a process that is killed gives its locks back', sqliteOnly, async t => {
  const catalog = await openCatalog(t)
  await (await catalog.beginRun({ repository: 'x' })).finish('done')
  const child = spawn(process.execPath, [
    '-e',
    `const { Database } = require('sqlite3')
     const handle = new Database(process.argv[1])
     handle.run('BEGIN EXCLUSIVE', error => { process.stdout.write(error ? 'failed' : 'locked') })
     setInterval(() => {}, 1000)`,
    `${catalog.location}-lock-1`
  ])
  const [said] = await once(child.stdout, 'data')
  t.equal(String(said), 'locked')
  await t.rejects(catalog.beginRun({ repository: 'x' }), { code: 'ERR_MILLRACE_BUSY' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await catalog.beginRun({ repository: 'x' })).finish('done')
})

t.test('a run that cannot begin gives its lock back', async t => {
  const catalog = await openCatalog(t)
  const loop: { self?: unknown } = {}
  loop.self = loop
  await t.rejects(catalog.beginRun({ repository: 'x', options: loop }), TypeError)
  // What the database cannot take.
  await t.rejects(catalog.beginRun({ repository: 'x', optionsKey: null as unknown as string }))
  await (await catalog.beginRun({ repository: 'x' })).finish('done')
})

t.test('versions, and what is in each', async t => {
  const catalog = await openCatalog(t)
  const versions: string[][] = [['b-1.tar.gz', 'a-2.tar.gz'], ['c-1.tar.gz']]
  let number = 0
  for (const filenames of versions) {
    const run = await catalog.beginRun({ repository: 'x' })
    const packages = filenames.map(name => sdist(name.slice(0, 1), name.slice(2, 3)))
    await saveProjects(run, packages)
    t.match(await run.commit(), { version: ++number, changed: true, added: packages.length, removed: 0 })
    await run.finish('done', { version: number })
  }
  t.match(await catalog.versions('x'), [
    { number: 1, added: 2, removed: 0, present: 2, createdAt: /^\d{4}-.*Z$/ },
    { number: 2, added: 1, removed: 0, present: 3, createdAt: String }
  ])
  t.strictSame(await readNames(catalog, 'x'), ['a-2.tar.gz', 'b-1.tar.gz', 'c-1.tar.gz'])
  t.strictSame(await readNames(catalog, 'x', 2), ['a-2.tar.gz', 'b-1.tar.gz', 'c-1.tar.gz'])
  t.strictSame(await readNames(catalog, 'x', 1), ['a-2.tar.gz', 'b-1.tar.gz'])
  t.strictSame(await readNames(catalog, 'x', 0), [])
})

t.test('what is not there', async t => {
  const catalog = await openCatalog(t)
  await t.rejects(catalog.versions('none'), { code: 'ERR_MILLRACE_CATALOG', message: /no repository none/ })
  await t.rejects(readNames(catalog, 'none'), { code: 'ERR_MILLRACE_CATALOG' })
  const run = await catalog.beginRun({ repository: 'x' })
  await run.lookupProjects([project('a')])
  await run.finish('done')
  t.strictSame(await catalog.versions('x'), [])
  t.strictSame(await readNames(catalog, 'x'), [])
  for (const version of [1, -1, 0.5]) {
    await t.rejects(readNames(catalog, 'x', version), { code: 'ERR_MILLRACE_CATALOG', message: /no version/ })
  }
})

t.test('several take part in one run', async t => {
  const catalog = await openCatalog(t)
  const options = { optionsKey: 'k', files: true, fullCheckMs: 1000 }
  await t.rejects(catalog.joinRun(1), { code: 'ERR_MILLRACE_RUN_ENDED', run: 1 })
  const before = await catalog.beginRun({ repository: 'x', mirror: true, ...options })
  await before.lookupProjects(['a', 'b', 'gone'].map(name => project(name)))
  await saveProjects(before, [sdist('a', '1'), sdist('b', '1'), sdist('gone', '1')])
  await before.commit()
  await before.finish('done')
  await t.rejects(catalog.joinRun(before.id), { code: 'ERR_MILLRACE_RUN_ENDED' })

  const unfinished = await catalog.beginRun({ repository: 'x', mirror: true, ...options })
  await unfinished.abandon()
  const main = await catalog.beginRun({ repository: 'x', mirror: true, ...options })
  t.strictSame((await main.lookupProjects([project('a'), project('b'), project('c')])).length, 3)
  await main.keepListed()
  const joined = await catalog.joinRun(main.id, options)
  t.match(joined, { id: main.id, repository: 'x', mirror: true, resumed: true })
  await saveProjects(joined, [{ ...sdist('a', '1'), yanked: '' }])
  await joined.abandon()
  const plain = await catalog.joinRun(main.id)
  await saveProjects(plain, [sdist('c', '1')])
  await main.abandon()
  t.match(await plain.commit({ completeListing: true }), { version: 2, added: 2, removed: 2, present: 3 })
  t.strictSame(await readNames(catalog, 'x'), ['a-1.tar.gz', 'b-1.tar.gz', 'c-1.tar.gz'])
  await plain.finish('done', {})
  t.match(await catalog.runs('x', 1), [{ id: main.id, state: 'done', report: {} }])
  const late = { code: 'ERR_MILLRACE_RUN_ENDED', run: main.id }
  await t.rejects(joined.writeStates([{ project: 'a', outcome: 'fetched' }]), late)
  await t.rejects(joined.savePackages([sdist('new', '1')]), late)
  await t.rejects(main.commit(), late)
})

t.test('without a listing that was kept, who joined removes nothing', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x', mirror: true })
  await saveProjects(first, [sdist('a', '1')])
  await first.commit()
  await first.finish('done')
  const main = await catalog.beginRun({ repository: 'x', mirror: true })
  const joined = await catalog.joinRun(main.id)
  t.match(await joined.commit({ completeListing: true }), { changed: false, present: 1 })
})

t.test('a catalog that is closed', async t => {
  const catalog = await Catalog.open(':memory:')
  await catalog.close()
  await t.rejects(catalog.repositories(), { code: 'ERR_MILLRACE_CATALOG' })
})
