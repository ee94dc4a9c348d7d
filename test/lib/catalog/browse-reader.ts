import t from 'tap'
import type { ChangePlace, VersionPlace } from '../../../lib/catalog/browse-reader.js'
import type { Catalog } from '../../../lib/catalog/catalog.js'
import type { Package } from '../../../lib/pypi/package.js'
import { openCatalog, saveProjects, sdist } from '../../helpers/catalog.js'

/** Makes a version of exactly these packages. */
async function mirror(catalog: Catalog, repository: string, ...packages: Package[]): Promise<void> {
  const run = await catalog.beginRun({ repository, mirror: true })
  const known = [...new Set(packages.map(({ project }) => project))]
  await run.lookupProjects(
    known.map(name => ({ project: name, name, url: `https://index.example/${name}/` }))
  )
  await saveProjects(run, packages)
  await run.commit({ completeListing: true })
  await run.finish('done')
}

async function idOf(catalog: Catalog, repository: string): Promise<number> {
  return (await catalog.index.repository(repository))?.id as number
}

t.test('repositories', async t => {
  const catalog = await openCatalog(t)
  await mirror(catalog, 'a', sdist('x', '1.0'))
  const run = await catalog.beginRun({ repository: 'b' })
  await run.finish('failed')
  t.match(await catalog.browse.repositories('', 1), {
    items: [{ name: 'a', version: 1, present: 1, changedAt: /Z$/, lastRunState: 'done' }],
    next: 'a'
  })
  t.match(await catalog.browse.repositories('a', 1), {
    items: [{ name: 'b', version: 0, present: 0, changedAt: null, lastRun: run.id, lastRunState: 'failed' }],
    next: undefined
  })
})

t.test('versions, newest first, and one beside its neighbours', async t => {
  const catalog = await openCatalog(t)
  for (const version of ['1.0', '2.0', '3.0']) await mirror(catalog, 'a', sdist('x', version))
  const id = await idOf(catalog, 'a')
  const numbers = async (before: number | undefined, limit: number) => {
    const { items, next } = await catalog.browse.versions(id, before, limit)
    return [items.map(({ number }) => number), next]
  }
  t.strictSame(await numbers(undefined, 2), [[3, 2], 2])
  t.strictSame(await numbers(2, 2), [[1], undefined])
  t.match(await catalog.browse.version(id, 2), {
    version: { number: 2, added: 1, removed: 1, present: 1 },
    previous: { number: 1 },
    next: 3
  })
  t.match(await catalog.browse.version(id, 3), { previous: { number: 2 }, next: undefined })
  t.match(await catalog.browse.version(id, 1), { previous: undefined, next: 2 })
  t.equal(await catalog.browse.version(id, 4), undefined)
  t.equal(await catalog.browse.version(id, 0), undefined)
})

t.test('what versions changed, in parts of any size, is what comparing them gives', async t => {
  const catalog = await openCatalog(t)
  const yanked = (pkg: Package): Package => ({ ...pkg, yanked: 'broken' })
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(name => sdist(name, '1.0')) as [
    Package,
    Package,
    Package,
    Package,
    Package
  ]
  // Two repositories whose versions have the same numbers, and rows among each other.
  await mirror(catalog, 'r', a, b, c)
  await mirror(catalog, 'other', a, e)
  await mirror(catalog, 'r', a, yanked(b), d, sdist('a', '2.0'))
  await mirror(catalog, 'other', e, b, c, d)
  await mirror(catalog, 'r', a)
  await mirror(catalog, 'r', a, b, c, e)
  for (const repository of ['r', 'other']) {
    const id = await idOf(catalog, repository)
    for (const { number } of await catalog.versions(repository)) {
      const wanted: string[] = []
      for await (const { change, filename, before, after } of catalog.changes(repository, number - 1, number))
        wanted.push(JSON.stringify([change, filename, before?.yanked, after?.yanked]))
      for (const limit of [1, 2, 3, 100]) {
        const place = (await catalog.browse.version(id, number)) as VersionPlace
        const found: string[] = []
        let after: ChangePlace | undefined
        do {
          const { items, next } = await catalog.browse.changes(id, place, after, limit)
          t.ok(items.length <= limit)
          for (const { change, filename, before, after } of items)
            found.push(JSON.stringify([change, filename, before?.yanked, after?.yanked]))
          after = next
        } while (after !== undefined)
        t.strictSame(found.sort(), wanted.sort(), `${repository} ${number}, ${limit} at once`)
      }
    }
  }
})

t.test('projects by how their names begin', async t => {
  const catalog = await openCatalog(t)
  const names = ['num', 'numba', 'numpy', 'numpy-x', 'nun', 'other']
  await mirror(catalog, 'r', ...names.map(name => sdist(name, '1.0')))
  await mirror(catalog, 'r', ...names.filter(name => name !== 'numba').map(name => sdist(name, '1.0')))
  const id = await idOf(catalog, 'r')
  const find = async (prefix: string, version: number, after = '', limit = 10) => {
    const { items, next } = await catalog.browse.projects(id, version, prefix, after, limit)
    return [items.map(({ project }) => project).join(' '), next]
  }
  t.strictSame(await find('num', 2), ['num numpy numpy-x', undefined])
  t.strictSame(await find('num', 1), ['num numba numpy numpy-x', undefined])
  t.strictSame(await find('num', 1, '', 2), ['num numba', 'numba'])
  t.strictSame(await find('num', 1, 'numba', 2), ['numpy numpy-x', undefined])
  t.strictSame(await find('', 2), ['num numpy numpy-x nun other', undefined])
  t.strictSame(await find('z', 2), ['', undefined])
  t.match(await catalog.browse.projects(id, 2, 'nun', '', 1), { items: [{ name: 'nun', status: 'active' }] })
})

t.test('where most projects have no files, no more than some thousand are looked at', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'r' })
  const empty = Array.from({ length: 3200 }, (_, at) => `a${String(at).padStart(4, '0')}`)
  await run.lookupProjects(empty.map(name => ({ project: name, name, url: 'https://index.example/' })))
  await saveProjects(run, [sdist('az', '1.0')])
  await run.commit()
  await run.finish('done')
  const id = await idOf(catalog, 'r')
  const { items, next } = await catalog.browse.projects(id, 1, 'a', '', 10)
  t.strictSame([items.length, next], [0, 'a2999'])
  t.match(await catalog.browse.projects(id, 1, 'a', String(next), 10), {
    items: [{ project: 'az' }],
    next: undefined
  })
})

t.test('a project in quarantine is found though it has no files', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'r' })
  await saveProjects(run, [sdist('a', '1.0')])
  await run.writeStates([
    { project: 'bad', outcome: 'fetched', status: 'quarantined' },
    { project: 'nothing', outcome: 'fetched' }
  ])
  await run.commit()
  await run.finish('done')
  const found = await catalog.browse.projects(await idOf(catalog, 'r'), 1, '', '', 10)
  t.match(found.items, [{ project: 'a' }, { project: 'bad', status: 'quarantined' }])
  t.equal(found.items.length, 2)
})

t.test('runs, and what they could not have', async t => {
  const catalog = await openCatalog(t)
  const runs: number[] = []
  for (let at = 0; at < 3; at++) {
    const run = await catalog.beginRun({ repository: 'r', options: { at } })
    runs.push(run.id)
    await run.recordFailures(
      [1, 2, 3].map(number => ({ code: 'ERR_X', attempts: number, message: `no ${number}` }))
    )
    await run.finish('done')
  }
  const id = await idOf(catalog, 'r')
  const { browse } = catalog
  t.match(await browse.runs(id, undefined, 2), { items: [{ id: runs[2] }, { id: runs[1] }], next: runs[1] })
  t.match(await browse.runs(id, runs[1], 2), {
    items: [{ id: runs[0], options: { at: 0 } }],
    next: undefined
  })
  t.match(await browse.run(id, runs[1] as number), { id: runs[1], state: 'done' })
  t.equal(await browse.run(id, 99), undefined)
  t.equal(await browse.run(id, 0), undefined)
  const { items, next } = await browse.failures(runs[0] as number, 0, 2)
  t.match(items, [{ message: 'no 1' }, { message: 'no 2' }])
  t.match(await browse.failures(runs[0] as number, next as number, 2), {
    items: [{ message: 'no 3', attempts: 3, project: undefined }],
    next: undefined
  })
  t.equal(await browse.progress(id), undefined)
  const running = await catalog.beginRun({ repository: 'r' })
  t.match(await browse.progress(id), { run: running.id })
})
