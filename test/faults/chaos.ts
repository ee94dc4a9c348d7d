/**
 * An index at which requests fail at random, from a seed: everything that can be had within the retries is there,
 * and the report names exactly the rest.
 */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Chaos, chaosFault } from '../../benchmarks/index-server/faults.js'
import { madeUpName } from '../../benchmarks/index-server/made-up.js'
import { Catalog } from '../../lib/catalog/catalog.js'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import { type SyncOptions, sync } from '../../streams/sync.js'
import { readAll } from '../helpers/catalog.js'
import { indexServer } from '../helpers/index-server.js'

// Many processes and many waits, on machines that may be busy.
t.setTimeout(600_000)

const MAX_RETRIES = 2

/** Whether each of the attempts that are made meets a fault, and how many are made. */
function fate(chaos: Chaos, url: string): { attempts: number; had: boolean } {
  for (let attempt = 1; attempt <= MAX_RETRIES + 1; attempt++) {
    if (chaosFault(chaos, url, attempt) === undefined) return { attempts: attempt, had: true }
  }
  return { attempts: MAX_RETRIES + 1, had: false }
}

async function run(t: Test, options: SyncOptions): Promise<Awaited<ReturnType<typeof sync>>> {
  return await sync({
    ...{ store: join(t.testdirName, 'store'), maxRetries: MAX_RETRIES, minTimeout: 1, maxTimeout: 2 },
    ...{ prereleases: true, ...options }
  })
}

t.test('2,000 projects, of whose documents 5 % of the requests fail', async t => {
  t.testdir()
  const index = await indexServer(t, { projects: 2000, files: 4, fileBytes: 'none' })
  // 5 % each time leave one in 8,000 after three attempts; some never work.
  const chaos: Chaos = { seed: 4132, probability: 0.05, hopeless: 0.005, match: /^\/simple\/sample-/ }
  index.chaos(chaos)
  const names = Array.from({ length: 2000 }, (_, number) => madeUpName(number))
  const fates = new Map(names.map(name => [name, fate(chaos, `/simple/${name}/`)]))
  const lost = names.filter(name => !fates.get(name)?.had)
  const requests = [...fates.values()].reduce((sum, { attempts }) => sum + attempts, 0)
  t.ok(lost.length > 3 && lost.length < 40, `${lost.length} of 2000 cannot be had, ${requests} requests`)

  const catalog = await Catalog.open(join(t.testdirName, 'catalog.db'))
  t.teardown(() => catalog.close())
  const report = await run(t, { indexUrl: index.indexUrl, catalog })
  t.strictSame(report.failures.map(({ project }) => project).toSorted(), lost)
  for (const { attempts, code } of report.failures) {
    t.equal(attempts, MAX_RETRIES + 1)
    t.match(code, /^ERR_MILLRACE_(NETWORK|STATUS|ENCODING)$/)
  }
  t.match(report.projects, { listed: 2000, fetched: 2000 - lost.length, missing: 0, failed: lost.length })
  t.equal(index.stats().byKind.project, requests)
  const present = await readAll(catalog, 'pypi')
  const counts = new Map<string, number>()
  for (const { project } of present) counts.set(project, (counts.get(project) ?? 0) + 1)
  t.strictSame(
    [...counts.keys()],
    names.filter(name => fates.get(name)?.had)
  )
  t.ok([...counts.values()].every(count => count === 4))

  index.clearFaults()
  index.reset()
  const again = await run(t, { indexUrl: index.indexUrl, catalog })
  t.match(again, {
    projects: { fetched: lost.length, failed: 0 },
    packages: { present: 8000 },
    failures: { length: 0 }
  })
  t.equal(index.stats().byKind.project, lost.length)
})

t.test('files as well', async t => {
  t.testdir()
  const index = await indexServer(t, { projects: 100, files: 5, fileBytes: 3000 })
  const chaos: Chaos = { seed: 1843, probability: 0.1, hopeless: 0.01, match: /^\/files\// }
  const paths = new Map<string, string>()
  for (const { name } of index.index.listing()) {
    for (const { filename, path } of index.index.project(name)?.files ?? []) paths.set(filename, path)
  }
  const files = [...paths.keys()].toSorted()
  const lost = files.filter(filename => !fate(chaos, paths.get(filename) as string).had)
  t.ok(lost.length > 1 && lost.length < 40, `${lost.length} of ${files.length} cannot be had`)
  index.chaos(chaos)
  const catalog = await Catalog.open(join(t.testdirName, 'catalog.db'))
  t.teardown(() => catalog.close())
  const options: SyncOptions = { indexUrl: index.indexUrl, catalog, policy: 'immediate' }
  const report = await run(t, options)
  t.strictSame(report.failures.map(({ filename }) => filename).toSorted(), lost)
  t.match(report.files, { downloaded: files.length - lost.length, failed: lost.length })
  const held = new Map<string, number>()
  for await (const { sha256, size } of new DirectoryStore(join(t.testdirName, 'store')).list())
    held.set(sha256, size)
  t.equal(held.size, files.length - lost.length)
  const present = await readAll(catalog, 'pypi')
  t.strictSame(
    present.map(({ filename }) => filename).toSorted(),
    files.filter(filename => !lost.includes(filename))
  )
  t.ok(present.every(({ file }) => file !== undefined && held.get(file) === 3000))

  index.clearFaults()
  t.match(await run(t, options), {
    files: { downloaded: lost.length, failed: 0 },
    packages: { present: 500 }
  })
})
