import t, { type Test } from 'tap'
import type { KnownProject } from '../../../lib/catalog/known.js'
import type { ProjectState } from '../../../lib/catalog/projects.js'
import type { Run } from '../../../lib/catalog/run.js'
import type { Project } from '../../../lib/pypi/package.js'
import { openCatalog, project } from '../../helpers/catalog.js'

const state: ProjectState = {
  project: 'a',
  outcome: 'fetched',
  name: 'A',
  url: 'https://index.example/simple/a/',
  serial: 7,
  etag: '"e"',
  lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT',
  digest: 'd1',
  status: 'archived',
  statusReason: 'old'
}

/** Writes `states`, one after the other, in a run that is committed, and begins another. */
async function runAfter(
  t: Test,
  states: readonly ProjectState[],
  { second = 'key', commit = true } = {}
): Promise<Run> {
  const catalog = await openCatalog(t)
  const before = await catalog.beginRun({ repository: 'x', optionsKey: 'key' })
  await before.lookupProjects([project('a')])
  for (const state of states) await before.writeStates([state])
  if (commit) await before.commit()
  await before.finish(commit ? 'done' : 'failed')
  return await catalog.beginRun({ repository: 'x', optionsKey: second })
}

async function lookUp(run: Run, asked: Project): Promise<KnownProject | undefined> {
  const [found] = await run.lookupProjects([asked])
  return found
}

const conditions = {
  headers: { accept: 'x', 'if-none-match': '"e"', 'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' },
  digest: 'd1'
}
const asked = project('a', { headers: { accept: 'x' } })

t.test('what is not known is asked for as it came', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  const projects = [project('a'), project('b', { serial: 1 }), project('a')]
  t.strictSame(await run.lookupProjects(projects), projects)
  t.strictSame(await run.lookupProjects(projects), projects, 'nor does it help to ask twice')
  t.strictSame(await run.lookupProjects([]), [])
})

t.test('what is known is asked for with conditions', async t => {
  const run = await runAfter(t, [state])
  t.strictSame(await lookUp(run, asked), { ...asked, ...conditions })
  t.match(await lookUp(run, { ...asked, serial: 8 }), conditions, 'the serial has moved')
  t.equal(await lookUp(run, { ...asked, serial: 7 }), undefined, 'it stands still')
  t.strictSame(asked.headers, { accept: 'x' }, 'what the caller gave is not changed')
})

t.test('only what was told becomes a condition', async t => {
  const { etag, lastModified, ...without } = state
  t.strictSame(await lookUp(await runAfter(t, [without]), asked), { ...asked, digest: 'd1' })
})

t.test('a project without a digest', async t => {
  const { digest, lastModified, ...without } = state
  const found = await lookUp(await runAfter(t, [without]), asked)
  t.strictSame(found, { ...asked, headers: { accept: 'x', 'if-none-match': '"e"' }, digest: undefined })
})

t.test('under other options everything is due, without conditions', async t => {
  const run = await runAfter(t, [state], { second: 'other' })
  t.strictSame(await lookUp(run, { ...asked, serial: 7 }), { ...asked, serial: 7 })
})

t.test('a project that failed is due, without conditions, until it is settled', async t => {
  const run = await runAfter(t, [state, { project: 'a', outcome: 'failed' }])
  t.strictSame(await lookUp(run, { ...asked, serial: 7 }), { ...asked, serial: 7 })
  await run.writeStates([state])
  t.match(await lookUp(run, { ...asked, serial: 8 }), conditions)
})

t.test('a project that failed is known by its last spelling', async t => {
  const run = await runAfter(t, [state, { project: 'a', name: 'A_', outcome: 'failed' }])
  t.match((await run.due()).first, [{ project: 'a', name: 'A_' }])
  const again = await runAfter(t, [state, { project: 'a', outcome: 'failed' }])
  t.match((await again.due()).first, [{ project: 'a', name: 'A' }])
})

t.test('an unchanged project keeps what was not said anew', async t => {
  const run = await runAfter(t, [state, { project: 'a', outcome: 'unchanged', serial: 9, etag: '"f"' }])
  t.equal(await lookUp(run, { ...asked, serial: 9 }), undefined)
  t.match(await lookUp(run, asked), {
    headers: { ...conditions.headers, 'if-none-match': '"f"' },
    digest: 'd1'
  })
})

t.test('a fetched project keeps nothing', async t => {
  const run = await runAfter(t, [state, { project: 'a', outcome: 'partial', etag: '"f"' }])
  t.strictSame(await lookUp(run, { ...asked, serial: 7 }), {
    ...asked,
    serial: 7,
    headers: { accept: 'x', 'if-none-match': '"f"' },
    digest: undefined
  })
})

t.test('what an unfinished run settled is not asked for again, unless its serial moved', async t => {
  const run = await runAfter(t, [state], { commit: false })
  t.equal(await lookUp(run, asked), undefined)
  t.equal(await lookUp(run, { ...asked, serial: 7 }), undefined)
  t.match(await lookUp(run, { ...asked, serial: 8 }), conditions)
})

t.test('what an unfinished run with other options settled is due without conditions', async t => {
  const run = await runAfter(t, [state], { commit: false, second: 'other' })
  t.strictSame(await lookUp(run, asked), asked)
})

t.test('a state is kept of a project that was never looked up', async t => {
  const run = await runAfter(t, [state, { project: 'b', outcome: 'fetched', etag: '"b"' }])
  t.match(await lookUp(run, project('b')), { headers: { 'if-none-match': '"b"' } })
})
