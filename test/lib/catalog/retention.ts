import t from 'tap'
import { Body } from '../../../lib/http/body.js'
import type { Package } from '../../../lib/pypi/package.js'
import { DirectoryStore } from '../../../lib/store/directory-store.js'
import { openCatalog, readNames, sdist } from '../../helpers/catalog.js'

t.test('old versions are forgotten, and files that only they had', async t => {
  const catalog = await openCatalog(t)
  const store = new DirectoryStore(t.testdir({ store: {} }))
  const become = async (packages: readonly Package[]) => {
    const run = await catalog.beginRun({ repository: 'pypi', mirror: true })
    const known = await run.lookupPackages(packages)
    const files = new Map()
    for (const pkg of known) files.set(pkg, await store.put(new Body(Buffer.from(pkg.filename))))
    await run.savePackages(known, files)
    await run.writeStates([{ project: 'a', outcome: 'fetched' }])
    await run.commit()
    return run
  }
  for (const version of ['1', '2', '3'])
    await (await become([sdist('a', version), sdist('a', '9')])).finish('done')
  const run = await become([sdist('a', '4'), sdist('a', '9')])
  for (const keep of [4, 5]) t.same(await run.forgetVersions(keep), { versions: 0, packages: 0 })
  t.same(await run.forgetVersions(2), { versions: 2, packages: 2 })
  await t.rejects(run.forgetVersions(0), { code: 'ERR_MILLRACE_OPTION', option: 'keepVersions' })
  t.equal(await catalog.removeUnusedFiles(store), 0, 'nothing is removed beside a run')
  await run.finish('done')

  t.same(
    (await catalog.versions('pypi')).map(({ number }) => number),
    [3, 4]
  )
  t.same(await readNames(catalog, 'pypi', 3), ['a-3.tar.gz', 'a-9.tar.gz'])
  t.same(await readNames(catalog, 'pypi', 4), ['a-4.tar.gz', 'a-9.tar.gz'])
  await t.rejects(readNames(catalog, 'pypi', 2), { code: 'ERR_MILLRACE_CATALOG' })

  t.equal(await catalog.removeUnusedFiles(store), 2)
  t.equal(await catalog.removeUnusedFiles(store), 0)
  let left = 0
  for await (const _ of store.list()) left++
  t.equal(left, 3)
})
