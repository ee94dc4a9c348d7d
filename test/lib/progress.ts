import t from 'tap'
import { addCounts, countsOf, isHeldUp, pacemakers, projectsLeft } from '../../lib/progress.js'
import { emptyReport } from '../../lib/report.js'

t.test('where back-pressure comes from', async t => {
  const stages = (...waits: number[]) => waits.map(waits => ({ waits }))
  t.strictSame(pacemakers([]), [])
  t.strictSame(pacemakers(stages(0, 0.4, 0)), [], 'nobody waits for long')
  t.strictSame(pacemakers(stages(1, 1, 0, 0)), [2])
  t.strictSame(pacemakers(stages(1, 0, 0.5, 0)), [1, 3], 'there may be more than one')
  t.ok(isHeldUp({ waits: 0.5 }))
})

t.test('counts of a report, and what is left', async t => {
  const report = emptyReport('x')
  report.projects.listed = 10
  Object.assign(report.projects, { fetched: 1, unchanged: 2, missing: 1, failed: 1 })
  report.failures.push({ code: 'ERR_MILLRACE_STATUS', attempts: 1, message: 'no' })
  report.plan = { projects: [], dropped: {} }
  t.equal(projectsLeft(report), 5)
  report.projects.listed = 2
  t.equal(projectsLeft(report), 0, 'more were done than are listed yet')
  const { failures, plan, ...rest } = report
  t.strictSame(countsOf(report), { ...rest, failures: 1 })
})

t.test('counts of two parts of a run', async t => {
  const [whole, part] = [emptyReport('x'), emptyReport('')]
  Object.assign(whole.projects, { listed: 10, fetched: 1 })
  Object.assign(whole, { version: 3, changed: true, durationMs: 5 })
  Object.assign(part.projects, { fetched: 2 })
  part.packages.seen = 7
  part.files.bytes = 9
  part.failures.push({ code: 'ERR_MILLRACE_STATUS', attempts: 1, message: 'no' })
  const sum = countsOf(whole)
  t.strictSame(addCounts(countsOf(whole), countsOf(part)), {
    ...sum,
    projects: { ...sum.projects, fetched: 3 },
    packages: { ...sum.packages, seen: 7 },
    files: { ...sum.files, bytes: 9 },
    failures: 1
  })
})
