import t from 'tap'
import type { Catalog } from '../../../lib/catalog/catalog.js'
import { locationOf, openCatalog, project, readNames, saveProjects, sdist } from '../../helpers/catalog.js'
import { execute } from '../../helpers/database.js'

/** Reads from outside what the catalog does not show. */
async function select<Row>(catalog: Catalog, sql: string): Promise<Row[]> {
  return await execute<Row>(locationOf(catalog), sql)
}

t.test('a run leaves a row: how it was asked, how it ended', async t => {
  const catalog = await openCatalog(t)
  const states = ['done', 'failed', 'interrupted'] as const
  for (const state of states) {
    const run = await catalog.beginRun({
      repository: 'x',
      mirror: state === 'done',
      options: { state },
      optionsKey: 'k'
    })
    if (state === 'done') await run.commit()
    await run.finish(state, state === 'failed' ? undefined : { ended: state })
  }
  await catalog.beginRun({ repository: 'x' })
  t.match(await select(catalog, 'SELECT * FROM runs ORDER BY id'), [
    {
      state: 'done',
      mirror: 1,
      options: '{"state":"done"}',
      options_key: 'mirror k',
      report: '{"ended":"done"}',
      version: 0
    },
    { state: 'failed', mirror: 0, options_key: 'k', report: null, version: null, finished_at: /Z$/ },
    { state: 'interrupted', report: '{"ended":"interrupted"}', version: null },
    { state: 'running', options: '{}', options_key: '', finished_at: null }
  ])
})

t.test('a run that ended without a word is dead', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x' })
  await first.abandon()
  await catalog.beginRun({ repository: 'x' })
  t.match(await select(catalog, 'SELECT state FROM runs ORDER BY id'), [
    { state: 'dead' },
    { state: 'running' }
  ])
})

t.test('failures are rows', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  await run.recordFailures([
    { code: 'ERR_MILLRACE_STATUS', project: 'a', url: 'https://x.example/', attempts: 4, message: 'no' },
    { code: 'ERR_MILLRACE_DIGEST', project: 'a', filename: 'f', attempts: 1, message: 'wrong' }
  ])
  await run.recordFailures([])
  t.match(await select(catalog, 'SELECT * FROM failures ORDER BY id'), [
    { run_id: run.id, code: 'ERR_MILLRACE_STATUS', project: 'a', filename: null, attempts: 4, message: 'no' },
    { run_id: run.id, code: 'ERR_MILLRACE_DIGEST', filename: 'f', url: null }
  ])
})

t.test('a run goes on from what one with the same options settled, and forgets the rest', async t => {
  const catalog = await openCatalog(t)
  const dead = await catalog.beginRun({ repository: 'x', optionsKey: 'k' })
  t.equal(dead.resumed, false)
  await saveProjects(dead, [sdist('a', '1'), sdist('a', '2')])
  await dead.savePackages([sdist('b', '1')])
  await dead.abandon()
  const run = await catalog.beginRun({ repository: 'x', optionsKey: 'k' })
  t.equal(run.resumed, true)
  const due = await run.lookupProjects([project('a'), project('b')])
  t.match(due, [undefined, { project: 'b' }])
  await saveProjects(run, [sdist('b', '2')])
  t.match(await run.commit(), { version: 1, added: 3 })
  t.strictSame(await readNames(catalog, 'x'), ['a-1.tar.gz', 'a-2.tar.gz', 'b-2.tar.gz'])
})

t.test('a run forgets what one with other options left', async t => {
  for (const [first, second] of [
    [{ optionsKey: 'k' }, { optionsKey: 'l' }],
    [
      { optionsKey: 'k', mirror: true },
      { optionsKey: 'k', mirror: false }
    ]
  ]) {
    t.test(JSON.stringify([first, second]), async t => {
      const catalog = await openCatalog(t)
      const dead = await catalog.beginRun({ repository: 'x', ...first })
      await saveProjects(dead, [sdist('a', '1')])
      await dead.abandon()
      const run = await catalog.beginRun({ repository: 'x', ...second })
      t.equal(run.resumed, false)
      t.match(await run.lookupProjects([project('a')]), [{ project: 'a', digest: undefined }])
      await saveProjects(run, [sdist('a', '2')])
      await run.commit()
      t.strictSame(await readNames(catalog, 'x'), ['a-2.tar.gz'])
      await run.finish('done')
    })
  }
})

t.test('the draft of one repository is none of another, nor are older rows', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x' })
  const second = await catalog.beginRun({ repository: 'y' })
  await saveProjects(first, [sdist('a', '1')])
  await saveProjects(second, [sdist('a', '1'), sdist('b', '1')])
  await first.commit()
  await first.finish('done')
  await second.abandon()
  const third = await catalog.beginRun({ repository: 'x', optionsKey: 'other' })
  await saveProjects(third, [sdist('c', '1')])
  t.match(await third.commit(), { version: 2, added: 1, present: 2 })
  const fourth = await catalog.beginRun({ repository: 'y' })
  t.match(await fourth.commit(), { version: 1, added: 2, present: 2 })
  t.strictSame(await readNames(catalog, 'x'), ['a-1.tar.gz', 'c-1.tar.gz'])
  t.strictSame(await readNames(catalog, 'y'), ['a-1.tar.gz', 'b-1.tar.gz'])
})

t.test('runs are listed, the newest first, with what they did and could not have', async t => {
  const catalog = await openCatalog(t)
  const report = { version: 1, packages: { added: 1 }, failures: 2 }
  const first = await catalog.beginRun({ repository: 'x', options: { mirror: true } })
  await saveProjects(first, [sdist('a', '1')])
  await first.commit()
  await first.recordFailures([
    { code: 'ERR_MILLRACE_STATUS', project: 'b', url: 'https://x.example/', attempts: 4, message: 'no' },
    { code: 'ERR_MILLRACE_RECORD', project: 'a', filename: 'f', attempts: 0, message: 'bad' },
    { code: 'ERR_MILLRACE_REMOVALS', attempts: 0, message: 'many' }
  ])
  await first.finish('done', report)
  await (await catalog.beginRun({ repository: 'y' })).finish('failed')
  const dead = await catalog.beginRun({ repository: 'x' })
  await dead.abandon()
  await catalog.beginRun({ repository: 'x' })

  const runs = await catalog.runs('x')
  t.match(runs, [
    { id: 4, state: 'running', finishedAt: undefined, durationMs: undefined, report: undefined },
    { id: 3, state: 'dead', version: undefined, options: {} },
    { id: 1, state: 'done', version: 1, options: { mirror: true }, report }
  ])
  t.equal(runs.length, 3)
  t.ok(Number(runs[2]?.durationMs) >= 0)
  t.strictSame(
    (await catalog.runs('x', 1)).map(({ id }) => id),
    [4]
  )
  t.match(await catalog.runs('y'), [{ id: 2, state: 'failed' }])

  t.strictSame(await catalog.failures('x', 1), [
    {
      ...{ code: 'ERR_MILLRACE_STATUS', project: 'b', filename: undefined },
      url: 'https://x.example/',
      attempts: 4,
      message: 'no'
    },
    {
      ...{ code: 'ERR_MILLRACE_RECORD', project: 'a', filename: 'f' },
      url: undefined,
      attempts: 0,
      message: 'bad'
    },
    {
      ...{ code: 'ERR_MILLRACE_REMOVALS', project: undefined, filename: undefined, url: undefined },
      attempts: 0,
      message: 'many'
    }
  ])
  t.strictSame(await catalog.failures('y', 1), [], 'that run is another repository’s')
  await t.rejects(catalog.runs('none'), { code: 'ERR_MILLRACE_CATALOG' })
  await t.rejects(catalog.failures('none', 1), { code: 'ERR_MILLRACE_CATALOG' })
})
