/** Several take part in one run, as the shards of a cluster do: each with a connection of its own, all at once. */
import t from 'tap'
import { Catalog } from '../../lib/catalog/catalog.js'
import type { Package } from '../../lib/pypi/package.js'
import { project, readAll, saveProjects, sdist } from '../helpers/catalog.js'
import { emptyDatabase } from '../helpers/postgres.js'
import { random } from '../helpers/random.js'

const WRITERS = 4

t.test('writers of one repository, whose projects are partly the same', async t => {
  const location = await emptyDatabase(t)
  const coordinator = await Catalog.open(location)
  t.teardown(() => coordinator.close())
  const catalogs = await Promise.all(
    Array.from({ length: WRITERS }, () => Catalog.open(location, { connections: 2 }))
  )
  t.teardown(() => Promise.all(catalogs.map(catalog => catalog.close())))
  const { below } = random(11)
  const names = Array.from({ length: 60 }, (_, n) => `p${n}`)
  for (const round of [1, 2, 3]) {
    const main = await coordinator.beginRun({ repository: 'x', mirror: true, optionsKey: 'k' })
    // Half of the projects have their rows; the others are made by whoever comes first.
    await main.lookupProjects(names.slice(0, 30).map(name => project(name)))
    const packages = names.flatMap(name =>
      Array.from({ length: 20 }, (_, n) =>
        sdist(name, `${n + round}`, { requiresPython: `>=${round}.${n % 2}` })
      )
    )
    await Promise.all(
      catalogs.map(async catalog => {
        const run = await catalog.joinRun(main.id, { optionsKey: 'k' })
        const mine = shuffled(names, below).slice(0, 45)
        for (let at = 0; at < mine.length; at += 5) {
          const batch = mine.slice(at, at + 5)
          const theirs = shuffled(
            packages.filter(pkg => batch.includes(pkg.project)),
            below
          )
          await saveProjects(run, await run.lookupPackages(theirs), batch)
        }
        await run.ledger.end()
        await run.abandon()
      })
    )
    // What nobody had.
    await saveProjects(main, packages)
    const expected = names.length * 20
    t.match(await main.commit(), { version: round, added: expected, removed: round === 1 ? 0 : expected })
    await main.finish('done')
    const key = (pkg: Package) => `${pkg.project} ${pkg.filename} ${pkg.requiresPython}`
    t.strictSame((await readAll(coordinator, 'x')).map(key), packages.map(key).sort())
  }
})

t.test('writers of many repositories', async t => {
  const location = await emptyDatabase(t)
  const catalogs = await Promise.all(Array.from({ length: WRITERS }, () => Catalog.open(location)))
  t.teardown(() => Promise.all(catalogs.map(catalog => catalog.close())))
  await Promise.all(
    catalogs.map(async (catalog, writer) => {
      for (const round of [1, 2, 3]) {
        const run = await catalog.beginRun({ repository: `r${writer}`, mirror: true })
        for (const name of ['a', 'b', 'c'])
          await saveProjects(
            run,
            Array.from({ length: 50 }, (_, n) => sdist(name, `${n * round}`)),
            [name]
          )
        t.match(await run.commit(), { version: round, present: 150 })
        await run.finish('done')
      }
      const versions = (await readAll(catalog, `r${writer}`)).map(pkg => `${pkg.project} ${pkg.version}`)
      t.equal(versions.length, 150)
    })
  )
})

function shuffled<T>(items: readonly T[], below: (limit: number) => number): T[] {
  const left = [...items]
  return items.map(() => left.splice(below(left.length), 1)[0] as T)
}
