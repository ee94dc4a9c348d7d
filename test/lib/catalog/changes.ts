import t from 'tap'
import type { Change } from '../../../lib/catalog/changes.js'
import type { Package } from '../../../lib/pypi/package.js'
import { openCatalog, saveProjects, sdist } from '../../helpers/catalog.js'

t.test('what two versions do not have in the same state', async t => {
  const catalog = await openCatalog(t)
  const become = async (packages: readonly Package[], gone: readonly string[] = []) => {
    const run = await catalog.beginRun({ repository: 'pypi', mirror: true })
    await saveProjects(run, await run.lookupPackages(packages), gone)
    await run.commit()
    await run.finish('done')
  }
  await become([sdist('a', '1'), sdist('b', '1'), sdist('b', '2')])
  await become([sdist('b', '1', { yanked: '' }), sdist('b', '3'), sdist('c', '1')], ['a'])

  const changes = async (a: number, b: number) => {
    const found: Change[] = []
    for await (const change of catalog.changes('pypi', a, b)) found.push(change)
    return found
  }
  const told = (found: Change[]) => found.map(({ change, filename }) => `${change} ${filename}`)
  t.same(told(await changes(0, 1)), ['added a-1.tar.gz', 'added b-1.tar.gz', 'added b-2.tar.gz'])
  const forth = await changes(1, 2)
  t.same(told(forth), [
    'removed a-1.tar.gz',
    'changed b-1.tar.gz',
    'removed b-2.tar.gz',
    'added b-3.tar.gz',
    'added c-1.tar.gz'
  ])
  t.match(forth[1], { project: 'b', before: { yanked: false }, after: { yanked: '' } })
  t.same(told(await changes(2, 1)), [
    'added a-1.tar.gz',
    'changed b-1.tar.gz',
    'added b-2.tar.gz',
    'removed b-3.tar.gz',
    'removed c-1.tar.gz'
  ])
  t.same(await changes(2, 2), [])
  await catalog.rollback('pypi', 1)
  t.same(await changes(1, 3), [], 'a version that went back is the same')
  await t.rejects(changes(1, 4), { code: 'ERR_MILLRACE_CATALOG' })
  await t.rejects(changes(9, 1), { code: 'ERR_MILLRACE_CATALOG' })
})

t.test('a comparison of many packages comes in pages', async t => {
  const catalog = await openCatalog(t)
  const many = Array.from({ length: 1500 }, (_, at) => sdist('many', String(at)))
  for (const packages of [many, many.map(pkg => ({ ...pkg, size: 5 }))]) {
    const run = await catalog.beginRun({ repository: 'pypi' })
    await saveProjects(run, await run.lookupPackages(packages))
    await run.commit()
    await run.finish('done')
  }
  const found = new Set<string>()
  for await (const { change, filename } of catalog.changes('pypi', 1, 2)) found.add(`${change} ${filename}`)
  t.equal(found.size, 1500)
  t.ok([...found].every(line => line.startsWith('changed ')))
})
