import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import type { KnownProject } from '../../lib/catalog/known.js'
import type { Project } from '../../lib/pypi/package.js'
import { ProjectLookup } from '../../streams/project-lookup.js'
import { openCatalog, project, saveProjects, sdist } from '../helpers/catalog.js'

for (const count of [0, 1, 2, 1000]) {
  t.test(`${count} projects, each once`, async t => {
    const catalog = await openCatalog(t)
    const run = await catalog.beginRun({ repository: 'x' })
    const projects = Array.from({ length: count }, (_, n) => project(`p${n}`))
    const due: KnownProject[] = []
    await pipeline(Readable.from(projects), new ProjectLookup({ run, batchSize: 64 }), async source => {
      for await (const item of source) due.push(item)
    })
    t.strictSame(due, projects)
  })
}

t.test('what need not be fetched is told, and goes no further', async t => {
  const catalog = await openCatalog(t)
  const first = await catalog.beginRun({ repository: 'x' })
  await saveProjects(first, [sdist('a', '1'), sdist('b', '1')])
  await first.writeStates([{ project: 'a', outcome: 'fetched', serial: 5, etag: '"a"' }])
  await first.commit()
  await first.finish('done')
  const run = await catalog.beginRun({ repository: 'x' })
  const lookup = new ProjectLookup({ run })
  const unchanged: Project[] = []
  lookup.on('unchanged', item => unchanged.push(item))
  const due: KnownProject[] = []
  const asked = [project('a', { serial: 5 }), project('a', { serial: 6 }), project('b', { serial: 5 })]
  await pipeline(Readable.from(asked), lookup, async source => {
    for await (const item of source) due.push(item)
  })
  t.strictSame(unchanged, [asked[0]])
  t.match(due, [{ serial: 6, headers: { 'if-none-match': '"a"' } }, asked[2]])
})

t.test('a catalog that fails', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  await catalog.close()
  const lookup = new ProjectLookup({ run })
  await t.rejects(
    pipeline(Readable.from([project('a')]), lookup, async () => {}),
    { code: 'ERR_MILLRACE_CATALOG' }
  )
})

t.test('bad options', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'x' })
  t.throws(() => new ProjectLookup({ run, batchSize: 0 }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'batchSize'
  })
})
