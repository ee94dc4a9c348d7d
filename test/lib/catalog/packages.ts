import sqlite3 from 'sqlite3'
import t from 'tap'
import { all } from '../../../lib/catalog/sqlite/connection.js'
import type { Package } from '../../../lib/pypi/package.js'
import { openCatalog, readAll, readNames, saveProjects, sdist } from '../../helpers/catalog.js'
import { sqliteOnly } from '../../helpers/database.js'

t.test('a version is read whole, sorted, over any number of pages', async t => {
  for (const count of [0, 1, 2, 999, 1000, 1001, 2500]) {
    t.test(`${count} packages`, async t => {
      const catalog = await openCatalog(t)
      const run = await catalog.beginRun({ repository: 'x' })
      // One project is longer than a page.
      const packages: Package[] = Array.from({ length: count }, (_, n) =>
        n % 3 === 0 ? sdist(`p${n}`, '1') : sdist('long', `${n}`)
      )
      packages.sort((a, b) => (a.digests.sha256 as string).localeCompare(b.digests.sha256 as string))
      await saveProjects(run, packages)
      await run.commit()
      const key = (pkg: Package) => `${pkg.project}\0${pkg.filename}`
      const read = await readAll(catalog, 'x')
      t.strictSame(read.map(key), packages.map(key).sort())
      const long = await readAll(catalog, 'x', { project: 'long' })
      t.strictSame(
        long.map(key),
        packages
          .filter(pkg => pkg.project === 'long')
          .map(key)
          .sort()
      )
      t.strictSame(await readAll(catalog, 'x', { project: 'none' }), [])
      await run.finish('done')
    })
  }
})

t.test('reading neither sorts nor scans', sqliteOnly, async t => {
  const catalog = await openCatalog(t)
  const handle = new sqlite3.Database(catalog.location)
  for (const operator of ['>=', '=']) {
    const plan = await all<{ detail: string }>(
      handle,
      `EXPLAIN QUERY PLAN SELECT * FROM projects CROSS JOIN packages ON packages.project_id = projects.id
       WHERE projects.repository_id = ?1 AND projects.project ${operator} ?2
         AND (projects.project > ?2 OR packages.filename > ?3)
         AND packages.added <= ?4 AND (packages.removed IS NULL OR packages.removed > ?4)
       ORDER BY projects.project, packages.filename LIMIT 1000`
    )
    t.equal(plan.filter(({ detail }) => /SCAN|TEMP/.test(detail)).length, 0, JSON.stringify(plan))
  }
  await new Promise(resolve => handle.close(resolve))
})

t.test('a reader may stop, and sees one version while others are made', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x' })
  await saveProjects(
    first,
    Array.from({ length: 1500 }, (_, n) => sdist(`p${n}`, '1'))
  )
  await first.commit()
  await first.finish('done')
  const reader = catalog.packages('x')
  await reader.next()
  const second = await catalog.beginRun({ repository: 'x' })
  await saveProjects(second, [sdist('zzz', '1')])
  await second.commit()
  let left = 0
  for await (const { project } of reader) {
    left++
    t.not(project, 'zzz')
  }
  t.equal(left, 1499)
  for await (const { project } of catalog.packages('x')) {
    t.equal(project, 'p0')
    break
  }
  t.equal((await readNames(catalog, 'x')).length, 1501)
})
