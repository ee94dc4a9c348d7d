import t from 'tap'
import type { Catalog } from '../../../lib/catalog/catalog.js'
import type { Package } from '../../../lib/pypi/package.js'
import { locationOf, openCatalog, readAll, saveProjects, sdist } from '../../helpers/catalog.js'
import { execute, onPostgres } from '../../helpers/database.js'

/** Makes a version that holds exactly `packages`. */
async function become(
  catalog: Catalog,
  packages: readonly Package[],
  gone: readonly string[] = []
): Promise<void> {
  const run = await catalog.beginRun({ repository: 'pypi', mirror: true })
  await saveProjects(run, await run.lookupPackages(packages), gone)
  await run.commit()
  await run.finish('done')
}

/** All packages of a version, without what says since when they are in it. */
async function content(catalog: Catalog, version?: number) {
  const packages = await readAll(catalog, 'pypi', version === undefined ? {} : { version })
  return packages.map(({ added: _, ...pkg }) => pkg)
}

t.test('a new version has the content of the old one', async t => {
  const catalog = await openCatalog(t)
  await become(catalog, [sdist('a', '1'), sdist('a', '2'), sdist('b', '1')])
  await become(catalog, [sdist('a', '2', { yanked: 'broken' }), sdist('a', '3')], ['b'])
  await become(catalog, [sdist('a', '2'), sdist('c', '1')])

  for (const target of [1, 2, 0, 3]) {
    const result = await catalog.rollback('pypi', target)
    t.equal(result.changed, true, `back to ${target}`)
    t.same(await content(catalog), await content(catalog, target))
    t.equal(result.present, (await content(catalog)).length)
    const changes = []
    for await (const change of catalog.changes('pypi', result.version - 1, result.version))
      changes.push(change)
    t.equal(changes.filter(({ after }) => after !== undefined).length, result.added, 'added what changed')
    t.equal(changes.filter(({ before }) => before !== undefined).length, result.removed)
  }
  const { version } = await catalog.rollback('pypi', 3)
  t.match(await catalog.rollback('pypi', version), { version, changed: false, added: 0, removed: 0 })
  await t.rejects(catalog.rollback('pypi', 99), { code: 'ERR_MILLRACE_CATALOG' })
})

t.test('other repositories stay as they are', async t => {
  const catalog = await openCatalog(t)
  await become(catalog, [sdist('a', '1')])
  const run = await catalog.beginRun({ repository: 'other' })
  await saveProjects(run, [sdist('a', '1'), sdist('z', '1')])
  await run.commit()
  await run.finish('done')
  await catalog.rollback('pypi', 0)
  t.equal((await readAll(catalog, 'other')).length, 2)
  t.equal((await readAll(catalog, 'pypi')).length, 0)
})

t.test('the projects concerned are due again', async t => {
  const catalog = await openCatalog(t)
  const settle = async (version: string) => {
    const run = await catalog.beginRun({ repository: 'pypi' })
    await run.savePackages([sdist('a', version)])
    await run.writeStates([
      { project: 'a', outcome: 'fetched', serial: 7 },
      { project: 'b', outcome: 'fetched', serial: 7 }
    ])
    await run.commit()
    await run.finish('done')
  }
  await settle('1')
  await settle('2')
  await catalog.rollback('pypi', 1)
  const run = await catalog.beginRun({ repository: 'pypi' })
  const asked = ['a', 'b'].map(name => ({
    project: name,
    name,
    url: `https://i.example/${name}/`,
    serial: 7
  }))
  const due = await run.lookupProjects(asked)
  t.same(
    due.map(project => project?.project),
    ['a', undefined]
  )
})

t.test('a rollback that fails leaves the repository as it was, and its lock free', async t => {
  const catalog = await openCatalog(t)
  await become(catalog, [sdist('a', '1')])
  const run = await catalog.beginRun({ repository: 'pypi' })
  await t.rejects(catalog.rollback('pypi', 0), { code: 'ERR_MILLRACE_BUSY' })
  await run.finish('done')
  t.match(await catalog.rollback('pypi', 0), { version: 2 })
})

t.test('a rollback that the database refuses is a run that failed', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  await saveProjects(run, [sdist('a', '1')])
  await run.commit()
  await run.finish('done')
  await execute(
    locationOf(catalog),
    onPostgres
      ? 'ALTER TABLE versions ADD CONSTRAINT refuse CHECK (number < 2)'
      : "CREATE TRIGGER refuse BEFORE INSERT ON versions BEGIN SELECT RAISE(ABORT, 'no'); END"
  )
  await t.rejects(catalog.rollback('x', 0), { code: 'ERR_MILLRACE_CATALOG' })
  t.match(await catalog.runs('x'), [{ state: 'failed', options: { rollback: 0 } }, { state: 'done' }])
  t.strictSame(
    (await readAll(catalog, 'x')).map(({ filename }) => filename),
    ['a-1.tar.gz']
  )
  await (await catalog.beginRun({ repository: 'x' })).finish('done')
})
