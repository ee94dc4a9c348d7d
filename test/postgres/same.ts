/** The same index gives the same catalog in both databases, byte for byte in a sorted dump. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { dump } from '../helpers/dump.js'
import { indexServer } from '../helpers/index-server.js'
import { emptyDatabase } from '../helpers/postgres.js'
import { addProject, type SyncSetup, syncAt } from '../helpers/sync.js'

t.test('an index that changes, mirrored step by step', async t => {
  const index = await indexServer(t, { projects: 150, files: 12 })
  const folder = t.testdir()
  const databases: SyncSetup[] = [
    syncAt(join(folder, 'catalog.db'), join(folder, 'store-sqlite'), index),
    syncAt(await emptyDatabase(t), join(folder, 'store-postgres'), index)
  ]
  const state = async ({ open, rows }: SyncSetup) => [
    await open(dump),
    JSON.stringify(
      await rows(
        `SELECT project, name, url, serial, etag, digest, status, options_key, fetched_run, checked_run, gone, failed_run
         FROM projects ORDER BY project`
      )
    )
  ]
  const [first] = index.index.listing()
  const steps: [string, () => unknown, Parameters<SyncSetup['run']>[0]][] = [
    ['all of it', () => {}, {}],
    ['again', () => {}, {}],
    [
      'something new, with names that languages sort otherwise',
      () => {
        addProject(index, 'zz_A.b', '1')
        addProject(index, 'b-b', '1', '2')
        addProject(index, 'b.a', '10', '9')
        addProject(index, 'b_', '1')
      },
      {}
    ],
    ['something less', () => index.index.remove(String(first?.name)), {}],
    ['only some of it', () => {}, { keepLatest: 1, maxRemovals: 1 }]
  ]
  for (const [name, change, options] of steps) {
    change()
    for (const { run } of databases) t.match(await run({ mirror: true, ...options }), { failures: [] })
    const [sqlite, postgres] = [
      await state(databases[0] as SyncSetup),
      await state(databases[1] as SyncSetup)
    ]
    t.ok(sqlite.join('').length > 500_000)
    t.equal(digest(postgres), digest(sqlite), name)
    t.strictSame(postgres, sqlite, name, { diagnostic: false })
  }
  for (const { open } of databases)
    t.match(await open(catalog => catalog.rollback('pypi', 1)), { changed: true })
  t.equal(
    digest(await state(databases[1] as SyncSetup)),
    digest(await state(databases[0] as SyncSetup)),
    'taken back'
  )
})

function digest(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\0')).digest('hex')
}
