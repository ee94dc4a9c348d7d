import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { PackageSaver } from '../../streams/package-saver.js'
import { PlanWriter } from '../../streams/plan-writer.js'
import { VersionWriter } from '../../streams/version-writer.js'
import { openCatalog, sdist } from '../helpers/catalog.js'

t.test('without a catalog everything is new', async t => {
  const writer = new PlanWriter({ repository: 'pypi' })
  const packages = [
    sdist('a', '1', { size: 10 }),
    sdist('a', '2', { size: undefined }),
    sdist('b', '1', { size: 5 })
  ]
  await pipeline(packages, writer)
  t.same(writer.projects, [
    { project: 'a', packages: 2, bytes: 10, unknownSizes: 1 },
    { project: 'b', packages: 1, bytes: 5, unknownSizes: 0 }
  ])
})

t.test('aborted', async t => {
  const controller = new AbortController()
  const writer = new PlanWriter({ repository: 'pypi', signal: controller.signal })
  const running = pipeline([sdist('a', '1')], writer)
  controller.abort()
  await t.rejects(running, { name: 'AbortError' })
})

t.test('nothing came', async t => {
  const writer = new PlanWriter({ repository: 'pypi' })
  await pipeline([], writer)
  t.same(writer.projects, [])
})

t.test('what the repository has with the same bytes is not planned', async t => {
  const catalog = await openCatalog(t)
  const run = await catalog.beginRun({ repository: 'pypi' })
  const bare = sdist('a', '4', { digests: {} })
  const before = [
    sdist('a', '1'),
    sdist('a', '2'),
    sdist('a', '3', { digests: { md5: '1'.repeat(32) } }),
    bare
  ]
  await pipeline(before, new PackageSaver({ run }), new VersionWriter({ run }))
  await run.finish('done')

  const writer = new PlanWriter({ catalog, repository: 'pypi' })
  const changed = { digests: { sha256: 'f'.repeat(64) }, size: 7 }
  const after = [
    sdist('a', '1'),
    sdist('a', '2', changed),
    sdist('a', '3', { digests: { md5: '2'.repeat(32) }, size: 3 }),
    bare,
    sdist('c', '1', { size: 1 })
  ]
  await pipeline(after, writer)
  t.same(writer.projects, [
    { project: 'a', packages: 2, bytes: 10, unknownSizes: 0 },
    { project: 'c', packages: 1, bytes: 1, unknownSizes: 0 }
  ])
})

t.test('a repository that is not there is an error of the catalog', async t => {
  const writer = new PlanWriter({ catalog: await openCatalog(t), repository: 'none' })
  await t.rejects(pipeline([sdist('a', '1')], writer), { code: 'ERR_MILLRACE_CATALOG' })
})
