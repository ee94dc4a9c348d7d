import t from 'tap'
import type { IndexReader } from '../../../lib/catalog/index-reader.js'
import { makePage, PackageIndex } from '../../../lib/serve/package-index.js'
import { openCatalog, saveProjects, sdist } from '../../helpers/catalog.js'

t.test('a page is made once, until its project changes', async t => {
  const catalog = await openCatalog(t)
  const commit = async (...versions: string[]) => {
    const run = await catalog.beginRun({ repository: 'pypi', mirror: true })
    await saveProjects(run, [
      ...versions.map(version => sdist('a', version)),
      sdist('b', versions[0] as string)
    ])
    await run.commit()
    await run.finish('done')
  }
  await commit('1.0')
  const index = new PackageIndex(catalog.index, 'pypi')
  const page = async (asked?: string, name = 'a') => {
    const repository = await index.repository(asked)
    const project = repository && (await index.project(repository, name))
    return repository && project && index.simplePage(repository, project, 'json')
  }
  const first = await page()
  t.equal(await page(), first)
  t.equal(await page('pypi@1'), first)
  t.strictSame(index.lookups, { hits: 2, misses: 1 })
  t.equal((await Promise.all([page(undefined, 'b'), page(undefined, 'b')])).length, 2)
  t.equal(index.lookups.misses, 2, 'two who ask at once')

  await commit('1.0', '2.0')
  const second = await page()
  t.not(second, first)
  t.ok((second?.serial ?? 0) > (first?.serial ?? 0))
  t.equal(await page('pypi@1'), first)
  t.equal(await page('pypi@0'), undefined)
  t.equal(await page('nothing'), undefined)
  t.equal(await page('pypi@9'), undefined)
})

t.test('who asks after a commit sees it, whatever is being asked already', async t => {
  const catalog = await openCatalog(t)
  const commit = async () => {
    const run = await catalog.beginRun({ repository: 'pypi' })
    await saveProjects(run, [sdist('a', String(run.id))])
    await run.commit()
    await run.finish('done')
  }
  await commit()
  // The catalog has answered, but nobody here knows yet.
  const held: (() => void)[] = []
  const reader: Pick<IndexReader, 'repository'> = {
    async repository(name) {
      const found = await catalog.index.repository(name)
      await new Promise<void>(resolve => held.push(resolve))
      return found
    }
  }
  const answered = async (count: number) => {
    while (held.length < count) await new Promise(setImmediate)
  }
  const index = new PackageIndex(reader as IndexReader, 'pypi')
  const before = index.repository()
  await answered(1)
  await commit()
  const after = index.repository()
  held[0]?.()
  t.match(await before, { version: 1 })
  await answered(2)
  held[1]?.()
  t.match(await after, { version: 2 })
})

t.test('before there is a version, only what is in quarantine has a page', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'pypi' })
  await run.writeStates([
    { project: 'bad', outcome: 'fetched', status: 'quarantined', statusReason: 'malware' },
    { project: 'empty', outcome: 'fetched' }
  ])
  await run.commit()
  await run.finish('done')
  const index = new PackageIndex(catalog.index, 'pypi')
  const repository = await index.repository(undefined)
  t.match(repository, { version: 0 })
  const page = async (name: string) => {
    const project = repository && (await index.project(repository, name))
    return repository && project && (await index.simplePage(repository, project, 'json'))
  }
  const { body, lastModified } = (await page('bad')) ?? {}
  t.match(JSON.parse(String(body)), {
    name: 'bad',
    files: { length: 0 },
    'project-status': { status: 'quarantined' }
  })
  t.equal(lastModified, new Date(repository?.modifiedAt ?? '').toUTCString())
  t.equal(await page('empty'), undefined)
})

t.test('what a page weighs with its compressed forms', async t => {
  let grown = 0
  const page = makePage('text '.repeat(1000), 1, '2026-01-01T00:00:00Z', bytes => {
    grown += bytes
  })
  const [gzip, again, br] = await Promise.all([page.coded('gzip'), page.coded('gzip'), page.coded('br')])
  t.equal(gzip, again)
  t.equal(grown, gzip.length + br.length)
  t.equal(page.lastModified, 'Thu, 01 Jan 2026 00:00:00 GMT')
  t.ok(await makePage('x', 1, '2026-01-01T00:00:00Z').coded('br'))
})
