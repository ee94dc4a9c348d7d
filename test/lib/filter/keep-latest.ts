import t from 'tap'
import { VersionReader } from '../../../lib/filter/filter.js'
import { LatestVersions, latestCount } from '../../../lib/filter/keep-latest.js'
import type { Package } from '../../../lib/pypi/package.js'
import { makePackage, versionsOfX } from '../../helpers/package.js'

function latest(count: number, packages: readonly Package[]): { kept: string[]; dropped: string[] } {
  const kept: string[] = []
  const dropped: string[] = []
  const sink = {
    keep: (pkg: Package) => kept.push(pkg.filename),
    drop: (pkg: Package, filter: string) => dropped.push(`${filter} ${pkg.filename}`)
  }
  const versions = new LatestVersions(count, new VersionReader())
  for (const pkg of packages) versions.add(pkg, sink)
  versions.end(sink)
  return { kept, dropped }
}

t.test('the latest versions by PEP 440, in whatever order, let go in the order of arrival', async t => {
  const files = ['1.9', '1.10', '1.2', '1.10.dev1', '1!0.1', '1.10.post1']
  for (const order of [files, files.toReversed(), files.toSorted()])
    t.strictSame(
      latest(2, versionsOfX(...order)).kept,
      order.filter(version => ['1!0.1', '1.10.post1'].includes(version)).map(version => `x-${version}.tar.gz`)
    )
})

t.test('all files of each version, equal versions once', async t => {
  const files = [
    'x-1.0.zip',
    'x-2.0.zip',
    'x-1.0.0-py3-none-any.whl',
    'x-3.zip',
    'x-2-py3-none-any.whl',
    'x-2.0.tar.gz'
  ]
  const { kept, dropped } = latest(
    2,
    files.map(file => makePackage('x', file))
  )
  t.strictSame(kept, ['x-2.0.zip', 'x-3.zip', 'x-2-py3-none-any.whl', 'x-2.0.tar.gz'])
  t.strictSame(dropped, ['keepLatest x-1.0.zip', 'keepLatest x-1.0.0-py3-none-any.whl'])
})

t.test('versions that PEP 440 does not allow come last and push out none', async t => {
  const packages = [...versionsOfX('2004d', '0.1', '2003x', '1.0-SNAPSHOT'), makePackage('x', 'README')]
  for (const order of [packages, packages.toReversed()]) {
    t.strictSame(latest(1, order).kept, ['x-0.1.tar.gz'])
    t.strictSame(latest(2, order).kept.toSorted(), ['x-0.1.tar.gz', 'x-2004d.tar.gz'])
    t.strictSame(
      latest(5, order).kept,
      order.map(({ filename }) => filename)
    )
    t.notOk(latest(4, order).kept.includes('README'))
  }
})

t.test('each project by itself; no more is held than has to be', async t => {
  const kept: string[] = []
  const sink = { keep: (pkg: Package) => kept.push(pkg.filename), drop: () => {} }
  const versions = new LatestVersions(1, new VersionReader())
  for (const pkg of versionsOfX('2', '1', '3')) versions.add(pkg, sink)
  t.strictSame(kept, [])
  versions.add(makePackage('y', 'y-0.1.zip'), sink)
  t.strictSame(kept, ['x-3.tar.gz'], 'the next project lets go the one before')
  versions.end(sink)
  t.strictSame(kept, ['x-3.tar.gz', 'y-0.1.zip'])
  versions.end(sink)
  t.equal(kept.length, 2)
})

t.test('the option', async t => {
  t.equal(latestCount({}), 0)
  t.equal(latestCount({ keepLatest: undefined }), 0)
  t.equal(latestCount({ keepLatest: 3 }), 3)
  for (const keepLatest of [-1, 1.5, '3' as unknown as number])
    t.throws(() => latestCount({ keepLatest }), { code: 'ERR_MILLRACE_OPTION', option: 'keepLatest' })
})
