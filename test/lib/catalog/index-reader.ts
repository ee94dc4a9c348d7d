import t from 'tap'
import { openCatalog, saveProjects, sdist } from '../../helpers/catalog.js'

t.test('versions, projects and files, as they were', async t => {
  const catalog = await openCatalog(t)
  const reader = catalog.index
  t.equal(await reader.repository('pypi'), undefined)
  const first = await catalog.beginRun({
    repository: 'pypi',
    mirror: true,
    options: { policy: 'streamed', indexUrl: 'http://x/' }
  })
  t.match(await reader.repository('pypi'), { version: 0, fetchedRun: 0 })
  await saveProjects(
    first,
    [sdist('a', '1.0'), sdist('a', '2.0'), sdist('b', '1.0', { size: undefined })],
    ['c']
  )
  const { id } = (await reader.repository('pypi')) as { id: number }
  const drafts = await reader.project(id, 'a')
  t.strictSame(await reader.packages(drafts?.id as number, 0), [], 'drafts are nobody’s business')
  t.strictSame(await reader.states(drafts?.id as number, 0, 'a-1.0.tar.gz'), [])
  await first.commit()
  await first.finish('done')

  const second = await catalog.beginRun({ repository: 'pypi', mirror: true, options: { rollback: 1 } })
  await saveProjects(second, [sdist('a', '1.0', { yanked: 'bad' }), sdist('a', '3.0')])
  await second.writeStates([{ project: 'b', outcome: 'unchanged' }])
  await second.commit()
  await second.finish('done')

  t.match(await reader.repository('pypi'), { id, name: 'pypi', version: 2, fetchedRun: 2 })
  t.match(await reader.repository('pypi', 1), { version: 1 })
  t.equal(await reader.repository('pypi', 3), undefined)
  t.equal(await reader.repository('pypi', 2 ** 53), undefined)
  t.match(await reader.repository('pypi', 0), { version: 0 })
  const a = await reader.project(id, 'a')
  const b = await reader.project(id, 'b')
  t.match(a, { project: 'a', name: 'a', status: 'active', statusReason: undefined })
  t.equal(await reader.project(id, 'x'), undefined)
  const asked = [
    [id, 'b'],
    [id, 'x'],
    [id + 1, 'a'],
    [id, 'a'],
    [id, 'b']
  ] as const
  t.strictSame(await reader.projects(asked), [b, undefined, undefined, a, b])
  const names = async (version: number) =>
    (await reader.packages(a?.id as number, version)).map(({ filename, yanked }) => [filename, yanked])
  t.strictSame(await names(1), [
    ['a-1.0.tar.gz', false],
    ['a-2.0.tar.gz', false]
  ])
  t.strictSame(await names(2), [
    ['a-1.0.tar.gz', 'bad'],
    ['a-3.0.tar.gz', false]
  ])
  const states = await reader.states(a?.id as number, 2, 'a-1.0.tar.gz')
  t.strictSame(
    states.map(({ added, yanked }) => [added, yanked]),
    [
      [2, 'bad'],
      [1, false]
    ]
  )
  t.equal(await reader.changed(a?.id as number, 1), 1)
  t.equal(await reader.changed(a?.id as number, 2), 2)
  t.equal(await reader.changed(b?.id as number, 2), 1)
  t.equal(await reader.changed(12345, 2), 0)
  t.match(await reader.madeAt(id, 1), /^20/)
  t.equal(await reader.madeAt(id, 3), undefined)
  t.strictSame(await reader.lastSync(id), { policy: 'streamed', indexUrl: 'http://x/' })
  t.strictSame(await reader.lastSync(99), {})

  const listed = async (version: number, changed: boolean) => {
    const rows = []
    for await (const page of reader.listing(id, version, { changed })) rows.push(...page)
    return rows.map(row => [row.project, row.changed])
  }
  t.strictSame(await listed(2, true), [
    ['a', 2],
    ['b', 1]
  ])
  t.strictSame(await listed(1, false), [
    ['a', 0],
    ['b', 0]
  ])
  t.strictSame(await listed(0, true), [])

  const [pkg] = await reader.packages(b?.id as number, 2)
  t.equal(pkg?.size, undefined)
  const sha256 = 'f'.repeat(64)
  await reader.recordFiles([
    { sha256, size: 7, package: pkg?.id },
    { sha256: 'e'.repeat(64), size: 1 }
  ])
  t.match(await reader.packages(b?.id as number, 2), [{ file: sha256, size: 7 }])
})
