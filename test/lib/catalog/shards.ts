import t from 'tap'
import type { Catalog } from '../../../lib/catalog/catalog.js'
import type { ListingReport, ShardReport } from '../../../lib/catalog/shards.js'
import { countsOf } from '../../../lib/progress.js'
import { emptyReport } from '../../../lib/report.js'
import { openCatalog, project, readNames, saveProjects, sdist } from '../../helpers/catalog.js'

const failure = { code: 'ERR_MILLRACE_STATUS', project: 'b', attempts: 1, message: 'no' }

function report(fetched: number, more: Partial<ShardReport> = {}): ShardReport {
  const made = emptyReport('x')
  made.projects.fetched = fetched
  return { counts: countsOf(made), unsure: false, ...more }
}

function listing(listed: number, complete = true): ListingReport {
  const made = emptyReport('x')
  made.projects.listed = listed
  return {
    counts: countsOf(made),
    unsure: false,
    listing: { complete, kept: { etag: '"l"', given: listed } }
  }
}

/** Begins a run with what a listing has. */
async function begin(catalog: Catalog, names: readonly string[], mirror = false) {
  const run = await catalog.beginRun({ repository: 'x', mirror, options: { indexUrl: 'https://x/' } })
  await run.lookupProjects(names.map(name => project(name, { serial: 1 })))
  await run.keepListed()
  return run
}

t.test('parts of a run are dealt out, told of, and make one version', async t => {
  const catalog = await openCatalog(t)
  const { shards } = catalog
  const run = await begin(catalog, ['a', 'b', 'c'], true)
  const url = 'https://elsewhere/c/'
  await shards.layDown(
    run.id,
    [
      [
        { name: 'A', serial: 7, url: undefined },
        { name: 'c', serial: undefined, url }
      ],
      [{ name: 'b', serial: 1, url: undefined }]
    ],
    listing(3)
  )
  t.strictSame(await shards.asked(run.id), { repository: 'x', options: { indexUrl: 'https://x/' } })
  t.match(await shards.state(run.id), {
    state: 'running',
    shards: 2,
    done: 0,
    workers: 0,
    counts: { projects: { listed: 3 } }
  })
  const first = await shards.take(run.id, 1, 'one')
  t.strictSame(first?.projects, [
    { project: 'a', name: 'A', url: undefined, serial: 7 },
    { project: 'c', name: 'c', url, serial: undefined }
  ])
  await t.rejects(shards.take(run.id, 3, 'one'), { code: 'ERR_MILLRACE_CLUSTER' })
  const joined = await catalog.joinRun(run.id)
  await saveProjects(joined, [sdist('a', '1'), sdist('c', '1')])
  if (first === undefined) return
  await shards.tell(first, report(1))
  t.match(await shards.state(run.id), {
    done: 0,
    workers: 1,
    counts: { projects: { listed: 3, fetched: 1 } }
  })
  await t.rejects(joined.commitShards(), { code: 'ERR_MILLRACE_CLUSTER', message: /2 of its shards/ })
  await shards.end(first, report(2), [])
  t.equal(await shards.take(run.id, 1, 'two'), undefined, 'it is done')
  const second = await shards.take(run.id, 2, 'two')
  if (second === undefined) return
  await saveProjects(joined, [sdist('b', '1')])
  await shards.end(second, report(1), [failure])
  const counts = await joined.commitShards({ keepVersions: 1 })
  t.match(counts, {
    version: 1,
    changed: true,
    projects: { listed: 3, fetched: 3 },
    packages: { added: 3, present: 3 }
  })
  t.strictSame((await shards.state(run.id)).counts, counts)
  t.match(await shards.state(run.id), { state: 'done', shards: 0 })
  t.match(await shards.failures(run.id), [failure])
  t.strictSame(await readNames(catalog, 'x'), ['a-1.tar.gz', 'b-1.tar.gz', 'c-1.tar.gz'])
  await run.abandon()
  const next = await catalog.beginRun({ repository: 'x', mirror: true })
  t.match((await next.due()).listing, { etag: '"l"', given: 3 })
})

t.test('a shard is one worker’s at a time, and read again by the next', async t => {
  const catalog = await openCatalog(t)
  const { shards } = catalog
  const run = await begin(catalog, ['a', 'b'])
  await shards.layDown(run.id, [[{ name: 'a', serial: 1, url: undefined }]], listing(2))
  const lost = await shards.take(run.id, 1, 'lost')
  if (lost === undefined) return
  const joined = await catalog.joinRun(run.id)
  await joined.writeStates([
    { project: 'a', outcome: 'fetched', serial: 1 },
    { project: 'b', outcome: 'fetched', serial: 1 }
  ])
  const due = (name: string) => joined.lookupProjects([project(name, { serial: 1 })])
  t.strictSame(await due('a'), [undefined], 'it is settled')
  const found = await shards.take(run.id, 1, 'found')
  if (found === undefined) return
  t.match(await due('a'), [{ project: 'a' }])
  t.strictSame(await due('b'), [undefined], 'the other is not in it')
  const another = { code: 'ERR_MILLRACE_CLUSTER', run: run.id, message: /another worker has shard 1/ }
  await t.rejects(shards.tell(lost, report(1)), another)
  await t.rejects(shards.end(lost, report(1), [failure]), another)
  await shards.tell(found, report(1))
  await shards.giveBack(lost)
  t.match(await shards.state(run.id), { workers: 1, counts: { projects: { fetched: 1 } } })
  await shards.giveBack(found)
  t.match(await shards.state(run.id), { workers: 0, counts: { projects: { fetched: 0 } } })
  t.strictSame(await shards.failures(run.id), [])
  await shards.fail(run.id, [failure])
  t.match(await shards.failures(run.id), [failure])
})

t.test('nothing comes of a run that is over', async t => {
  const catalog = await openCatalog(t)
  const { shards } = catalog
  const run = await begin(catalog, ['a'])
  await shards.layDown(run.id, [[{ name: 'a', serial: 1, url: undefined }]], listing(1))
  const shard = await shards.take(run.id, 1, 'one')
  if (shard === undefined) return
  t.equal(await run.cancel('interrupted', countsOf(emptyReport('x'))), true)
  const ended = { code: 'ERR_MILLRACE_RUN_ENDED', run: run.id }
  await t.rejects(shards.asked(run.id), ended)
  await t.rejects(shards.take(run.id, 1, 'two'), ended)
  await t.rejects(shards.tell(shard, report(1)), ended)
  await t.rejects(shards.end(shard, report(1), []), ended)
  await t.rejects(shards.layDown(run.id, [], listing(1)), ended)
  t.match(await shards.state(run.id), { state: 'interrupted', shards: 0 })
  t.match(await shards.state(99), { state: 'dead', shards: 0, counts: { projects: { listed: 0 } } })
  t.match(await catalog.runs('x', 1), [{ state: 'interrupted', report: { failures: 0 } }])
})

t.test('a run that was committed is not cancelled', async t => {
  const catalog = await openCatalog(t)
  const run = await begin(catalog, ['a'])
  await catalog.shards.layDown(run.id, [], listing(1))
  const joined = await catalog.joinRun(run.id)
  await joined.commitShards()
  t.equal(await run.cancel('failed', countsOf(emptyReport('x'))), false)
  t.match(await catalog.runs('x', 1), [{ state: 'done', report: { projects: { listed: 1 } } }])
  await t.rejects(joined.commitShards(), { code: 'ERR_MILLRACE_CLUSTER' })
})

t.test('what is gone upstream goes, but not more than may', async t => {
  const catalog = await openCatalog(t)
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const first = await begin(catalog, names, true)
  await saveProjects(
    first,
    names.map(name => sdist(name, '1'))
  )
  await first.commit()
  await first.finish('done')
  const run = await begin(catalog, ['a'], true)
  await catalog.shards.layDown(run.id, [], listing(1))
  await t.rejects(run.commitShards({ strict: true }), { code: 'ERR_MILLRACE_REMOVALS' })
  t.match(await run.commitShards(), { changed: false, failures: 1, packages: { removed: 0, present: 7 } })
  t.match(await catalog.shards.failures(run.id), [{ code: 'ERR_MILLRACE_REMOVALS' }])
  await run.abandon()
  const unread = await begin(catalog, ['a'], true)
  t.equal((await unread.due()).listing, undefined, 'what is known of the listing is forgotten')
  await catalog.shards.layDown(unread.id, [], listing(1, false))
  t.match(await unread.commitShards({ maxRemovals: 1 }), { changed: false }, 'the listing was not read')
  await unread.abandon()
  const all = await begin(catalog, ['a'], true)
  await catalog.shards.layDown(all.id, [], { ...listing(1), unsure: true })
  t.match(await all.commitShards({ maxRemovals: 1 }), { packages: { removed: 6, present: 1 } })
  await all.abandon()
  t.equal(
    (await (await catalog.beginRun({ repository: 'x', mirror: true })).due()).listing,
    undefined,
    'nobody is sure of it'
  )
})
