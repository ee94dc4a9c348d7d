import t, { type Test } from 'tap'
import type { BeginRunOptions, Catalog } from '../../../lib/catalog/catalog.js'
import { Database } from '../../../lib/catalog/database.js'
import { findDue } from '../../../lib/catalog/due.js'
import type { ProjectState } from '../../../lib/catalog/projects.js'
import { openCatalog, project } from '../../helpers/catalog.js'
import { newLocation } from '../../helpers/database.js'

const LISTING = { etag: '"e"', lastModified: 'then', digest: 'd', given: 3 }
const DAY_MS = 86_400_000

/** A run that settles projects, is committed and keeps its listing. */
async function settle(
  catalog: Catalog,
  states: readonly Partial<ProjectState>[],
  options: Partial<BeginRunOptions> = {}
): Promise<void> {
  const run = await catalog.beginRun({ repository: 'x', optionsKey: 'k', ...options })
  const all = states.map((state, at) => ({
    project: `p${at}`,
    outcome: 'fetched' as const,
    serial: 1,
    ...state
  }))
  await run.lookupProjects(all.map(({ project: name }) => project(name)))
  await run.writeStates(all)
  await run.commit()
  await run.keepListing(LISTING)
  await run.finish('done')
}

async function due(catalog: Catalog, options: Partial<BeginRunOptions> = {}) {
  const run = await catalog.beginRun({ repository: 'x', optionsKey: 'k', ...options })
  const { first, listing } = await run.due()
  await run.abandon()
  return { first: first.map(({ project }) => project), listing }
}

async function settled(t: Test, ...states: Partial<ProjectState>[]): Promise<Catalog> {
  const catalog = await openCatalog(t)
  await settle(catalog, states)
  return catalog
}

t.test('at first nothing is known', async t => {
  t.strictSame(await due(await openCatalog(t)), { first: [], listing: undefined })
})

t.test('the listing of the last run is known, under the same options', async t => {
  const catalog = await settled(t, {}, {})
  t.strictSame(await due(catalog, { optionsKey: 'other' }), { first: [], listing: undefined })
  const again = await settled(t, {})
  t.strictSame(await due(again), { first: [], listing: LISTING })
  t.strictSame((await due(again)).listing, undefined, 'that run was not committed')
})

t.test('not if another run was committed since, or none could be kept', async t => {
  const catalog = await settled(t, {})
  const run = await catalog.beginRun({ repository: 'x', optionsKey: 'other' })
  await run.commit()
  await run.finish('done')
  t.equal((await due(catalog)).listing, undefined)
  await settle(catalog, [])
  const next = await catalog.beginRun({ repository: 'x', optionsKey: 'k' })
  await next.commit()
  await next.keepListing(undefined)
  await next.finish('done')
  t.equal((await due(catalog)).listing, undefined)
})

t.test('what failed comes first, with a listing or without', async t => {
  const catalog = await settled(
    t,
    {},
    { outcome: 'failed' },
    { serial: undefined },
    { outcome: 'failed', name: 'P3' }
  )
  t.strictSame(await due(catalog, { optionsKey: 'other' }), { first: ['p1', 'p3'], listing: undefined })
  const again = await settled(t, {}, { outcome: 'failed' }, { serial: undefined })
  t.strictSame(await due(again), { first: ['p1', 'p2'], listing: LISTING })
})

t.test('what is held back is due when its time has come', async t => {
  const now = Date.now()
  const catalog = await settled(t, { heldUntil: now - 1 }, { heldUntil: now + DAY_MS })
  t.strictSame((await due(catalog)).first, ['p0'])
})

t.test('a full check is due by age, not for all at once', async t => {
  const database = await Database.open(await newLocation(t, t.testdir()), true)
  t.teardown(() => database.close())
  const context = {
    repositoryId: 1,
    optionsKey: 'k',
    committedRun: 1,
    drafts: false,
    fullCheckMs: 30 * DAY_MS
  }
  await database.use(async connection => {
    await connection.run(
      "INSERT INTO repositories (id, name, created_at, listing) VALUES (1, 'x', '', ?)",
      JSON.stringify({ ...LISTING, run: 1, key: 'k' })
    )
    await connection.run(
      `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
       INSERT INTO projects (id, repository_id, project, name, options_key, serial, read_at)
       SELECT n, 1, 'p' || n, 'P' || n, 'k', 1, 0 FROM n`
    )
    const count = async (days: number, fullCheckMs: number | undefined = 30 * DAY_MS) =>
      (await findDue(connection, { ...context, fullCheckMs }, days * DAY_MS)).first.length
    t.strictSame([await count(14), await count(30), await count(300)], [0, 3000, 3000])
    t.ok(Math.abs((await count(16)) - (await count(17)) + 200) < 10, 'a fifteenth a day')
    t.ok(Math.abs((await count(22.5)) - 1500) < 10)
    await connection.run('UPDATE projects SET gone = true WHERE id <= 1000')
    t.equal(await count(30), 2000, 'not what is gone')
    t.equal((await findDue(connection, { ...context, fullCheckMs: undefined }, 1e15)).first.length, 0)

    const much = await findDue(connection, context, 30 * DAY_MS, 1999)
    t.strictSame(much, { first: [], listing: undefined }, 'if much is due, the listing tells it')
    await connection.run('UPDATE projects SET failed_run = 1 WHERE id IN (7, 8, 9)')
    t.match(await findDue(connection, context, 30 * DAY_MS, 100), {
      first: [{ project: 'p7', name: 'P7' }, { project: 'p8' }, { project: 'p9' }],
      listing: undefined
    })
    t.equal((await findDue(connection, context, 0, 2)).first.length, 2, 'the rest waits')
  })
})

t.test('what was never settled is due, what is no longer listed is not', async t => {
  const catalog = await openCatalog(t)
  await settle(catalog, [{}, {}])
  const run = await catalog.beginRun({ repository: 'x', optionsKey: 'k' })
  await run.lookupProjects([project('p0'), project('lost'), project('failing')])
  await run.writeStates([{ project: 'failing', outcome: 'failed' }])
  await run.commit({ completeListing: true })
  await run.keepListing(LISTING)
  await run.finish('done')
  t.strictSame(await due(catalog), { first: ['failing', 'lost'], listing: LISTING })
  const next = await catalog.beginRun({ repository: 'x', optionsKey: 'k' })
  t.match(await next.lookupProjects([project('p1', { serial: 1 })]), [{ serial: 1 }], 'should it come back')
  await next.commit({ completeListing: true })
  await next.finish('done')
  t.strictSame((await due(catalog)).first, [], 'what failed and is not listed any more')
})
