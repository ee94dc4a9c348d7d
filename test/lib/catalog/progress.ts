import t from 'tap'
import { countsOf, type Progress } from '../../../lib/progress.js'
import { emptyReport } from '../../../lib/report.js'
import { openCatalog } from '../../helpers/catalog.js'

function progress(elapsedMs: number): Progress {
  return { elapsedMs, left: 1, listed: false, stages: [], report: countsOf(emptyReport('x')) }
}

t.test('what a run is doing is there while it runs', async t => {
  const catalog = await openCatalog(t)
  await t.rejects(catalog.progress('x'), { code: 'ERR_MILLRACE_CATALOG' })
  const run = await catalog.beginRun({ repository: 'x' })
  t.match(await catalog.progress('x'), { run: run.id, startedAt: /Z$/, at: undefined, progress: undefined })
  await run.recordProgress(progress(1))
  await run.recordProgress(progress(2))
  const found = await catalog.progress('x')
  t.match(found, { run: run.id, at: /Z$/ })
  t.strictSame(found?.progress, progress(2))
  const other = await catalog.beginRun({ repository: 'y' })
  await other.recordProgress(progress(3))
  await run.finish('done')
  t.equal(await catalog.progress('x'), undefined)
  t.match(await catalog.progress('y'), { progress: { elapsedMs: 3 } }, 'runs of others go on')
})

t.test('what a run that died was doing is forgotten when the next one begins', async t => {
  const catalog = await openCatalog(t)
  const dead = await catalog.beginRun({ repository: 'x' })
  await dead.recordProgress(progress(1))
  await dead.abandon()
  t.match(await catalog.progress('x'), { run: dead.id, progress: { elapsedMs: 1 } })
  const run = await catalog.beginRun({ repository: 'x' })
  t.match(await catalog.progress('x'), { run: run.id, progress: undefined })
})
