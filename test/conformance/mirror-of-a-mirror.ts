/** A Millrace that feeds a Millrace: the same packages, by either kind of document, and nothing fetched twice. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pyodideWheels, recordedSource, wheelSource } from '../../benchmarks/index-server/recorded.js'
import { Catalog } from '../../lib/catalog/catalog.js'
import { type SyncOptions, sync } from '../../streams/sync.js'
import { readAll } from '../helpers/catalog.js'
import { type Served, serveSetup } from '../helpers/serve.js'
import { sharedData } from '../helpers/shared-data.js'
import { addProject, syncSetup } from '../helpers/sync.js'

/** Syncs from a server into a folder, and reads what came. */
async function mirror(folder: string, { origin }: Served, options: SyncOptions = {}) {
  mkdirSync(folder, { recursive: true })
  const catalog = join(folder, 'catalog.db')
  const store = join(folder, 'store')
  const report = await sync({
    ...{ indexUrl: `${origin}/simple/`, catalog, store, mirror: true, prereleases: true },
    ...options
  })
  const opened = await Catalog.open(catalog)
  const packages = await readAll(opened, 'pypi')
  await opened.close()
  return { report, packages }
}

/** What must be the same: all but where a file lies, and since when we have it. */
function comparable(packages: Awaited<ReturnType<typeof readAll>>) {
  return packages.map(({ url, file, added, ...rest }) => rest)
}

t.test('the same packages', async t => {
  const recorded = sharedData()
  const setup = await syncSetup(t, {
    projects: 20,
    files: 10,
    sources: [wheelSource(pyodideWheels()), ...(recorded === undefined ? [] : [recordedSource(recorded)])]
  })
  await setup.run({ prereleases: true })
  const wanted = comparable(await setup.packages())
  t.ok(wanted.length > 200)
  const served = await serveSetup(t, setup)

  const first = await mirror(join(t.testdirName, 'first'), served)
  t.strictSame(comparable(first.packages), wanted)
  t.strictSame(first.report.failures, [])
  const requests = async () => {
    const { body } = await served.server.inject('/-/metrics')
    return Number(/requests_total\{kind="project",status="200"\} (\d+)/.exec(body)?.[1])
  }
  const before = await requests()
  const again = await mirror(join(t.testdirName, 'first'), served)
  t.equal(again.report.changed, false)
  t.equal(await requests(), before, 'no page was asked for: the serials stand')

  const legacy = await mirror(join(t.testdirName, 'legacy'), served, { source: 'json' })
  t.equal(legacy.packages.length, wanted.length)
})

t.test('what changes comes through, and only that', async t => {
  const setup = await syncSetup(t)
  const run = () => setup.run({ mirror: true, maxRemovals: 1 })
  for (const name of ['a', 'b', 'c']) addProject(setup.index, name, '1.0')
  await run()
  const served = await serveSetup(t, setup)
  const folder = t.testdirName
  const follow = async () => mirror(join(folder, 'second'), served, { maxRemovals: 1 })
  t.equal((await follow()).report.projects.fetched, 3)

  addProject(setup.index, 'b', '1.0', '2.0')
  setup.index.index.remove('c')
  await run()
  const second = await follow()
  t.match(second.report, {
    projects: { listed: 2, fetched: 1, unchanged: 1 },
    packages: { added: 1, removed: 1 }
  })
  t.strictSame(
    second.packages.map(({ filename }) => filename),
    ['a-1.0.tar.gz', 'b-1.0.tar.gz', 'b-2.0.tar.gz']
  )

  setup.index.index.add({
    name: 'a',
    files: [{ filename: 'a-1.0.tar.gz' }],
    status: 'archived',
    statusReason: 'old'
  })
  t.equal((await run()).changed, false, 'no version here')
  const third = await follow()
  t.equal(third.report.projects.fetched, 1, 'but there is news of the project')

  setup.index.index.add({ name: 'a', files: [{ filename: 'a-1.0.tar.gz' }], status: 'quarantined' })
  await run()
  t.strictSame(
    (await follow()).packages.map(({ project }) => project),
    ['b', 'b']
  )
})
