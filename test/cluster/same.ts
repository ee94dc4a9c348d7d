/**
 * The same index, synced by one process into SQLite, by one into PostgreSQL, and by four workers of a cluster, gives the
 * same catalog, byte for byte in a sorted dump.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import type { Report } from '../../lib/report.js'
import { cli } from '../helpers/cli.js'
import { startWorker } from '../helpers/cluster.js'
import { dump } from '../helpers/dump.js'
import { indexServer } from '../helpers/index-server.js'
import { emptyDatabase } from '../helpers/postgres.js'
import { addProject, type SyncSetup, syncAt } from '../helpers/sync.js'

t.test('an index that changes, mirrored step by step', async t => {
  const index = await indexServer(t, { projects: 150, files: 12 })
  const folder = t.testdir()
  const alone: SyncSetup[] = [
    syncAt(join(folder, 'catalog.db'), join(folder, 'store-sqlite'), index),
    syncAt(await emptyDatabase(t), join(folder, 'store-postgres'), index)
  ]
  const cluster = syncAt(await emptyDatabase(t), join(folder, 'store-cluster'), index)
  const workers = Array.from({ length: 4 }, () =>
    startWorker(t, ['--catalog', cluster.catalog, '--store', cluster.store], folder)
  )
  const byCluster = (...args: string[]) =>
    cli(
      [
        ...[
          'sync',
          '--cluster',
          '--shards',
          '16',
          '--json',
          '--catalog',
          cluster.catalog,
          '--store',
          cluster.store
        ],
        ...['--index-url', index.indexUrl, '--mirror', ...args]
      ],
      folder
    )
  const state = async ({ open, rows }: SyncSetup) => [
    await open(dump),
    JSON.stringify(
      await rows(
        `SELECT project, name, url, serial, etag, digest, status, options_key, fetched_run, checked_run, gone, failed_run
         FROM projects ORDER BY project`
      )
    ),
    JSON.stringify(await rows('SELECT sha256, size FROM files ORDER BY sha256'))
  ]
  const [first] = index.index.listing()
  const steps: [string, () => unknown, Parameters<SyncSetup['run']>[0], string[]][] = [
    ['all of it', () => {}, {}, []],
    ['again', () => {}, {}, []],
    [
      'something new, with names that languages sort otherwise',
      () => {
        addProject(index, 'zz_A.b', '1')
        addProject(index, 'b-b', '1', '2')
        addProject(index, 'b.a', '10', '9')
        addProject(index, 'b_', '1')
      },
      {},
      []
    ],
    ['something less', () => index.index.remove(String(first?.name)), {}, []],
    [
      'only some of it',
      () => {},
      { keepLatest: 1, maxRemovals: 1 },
      ['--keep-latest', '1', '--max-removals', '1']
    ]
  ]
  for (const [name, change, options, args] of steps) {
    change()
    const reports: Report[] = []
    for (const { run } of alone) reports.push(await run({ mirror: true, ...options }))
    const { status, stdout, stderr } = await byCluster(...args)
    const [sqlite, postgres, four] = [...(await Promise.all(alone.map(state))), await state(cluster)] as [
      string[],
      string[],
      string[]
    ]
    t.ok(sqlite.join('').length > 500_000)
    t.equal(digest(postgres), digest(sqlite), `${name}: PostgreSQL`)
    t.equal(digest(four), digest(sqlite), `${name}: the cluster`)
    t.strictSame(four, sqlite, name, { diagnostic: false })
    // One name is none.
    t.equal(status, reports[0]?.failures.length === 0 ? 0 : 3, stderr)
    t.same({ ...JSON.parse(stdout), durationMs: 0 }, asTold(reports[1]), 'the report')
  }
  const taken: string[] = []
  for (const setup of [...alone, cluster]) {
    t.match(await setup.open(catalog => catalog.rollback('pypi', 1)), { changed: true })
    taken.push(digest(await state(setup)))
  }
  t.strictSame(taken, Array(3).fill(taken[0]), 'taken back')
  const done = await Promise.all(workers.map(worker => worker.end()))
  for (const { status, stderr, stdout } of done) t.match([status, stderr], [0, /shard \d+ done/], stdout)
})

t.test('files come along, into a store that the workers share', async t => {
  const index = await indexServer(t, { projects: 40, files: 4 })
  const folder = t.testdir()
  const alone = syncAt(await emptyDatabase(t), join(folder, 'store-alone'), index)
  const cluster = syncAt(await emptyDatabase(t), join(folder, 'store-cluster'), index)
  const at = ['--catalog', cluster.catalog, '--store', cluster.store]
  for (let worker = 0; worker < 2; worker++) startWorker(t, at, folder)
  const report = await alone.run({ policy: 'immediate' })
  const { stdout } = await cli(
    ['sync', '--cluster', '--json', ...at, '--index-url', index.indexUrl, '--policy', 'immediate'],
    folder
  )
  t.ok(report.files.downloaded > 0)
  t.same({ ...JSON.parse(stdout), durationMs: 0 }, asTold(report))
  t.same(await cluster.stored(), await alone.stored())
  t.equal(await cluster.open(dump), await alone.open(dump))
})

/** A report as it is printed, but for its time. */
function asTold(report: Report | undefined): unknown {
  return JSON.parse(JSON.stringify({ ...report, durationMs: 0 }))
}

function digest(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\0')).digest('hex')
}
