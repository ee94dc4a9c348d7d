import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { VersionReader } from '../../../lib/filter/filter.js'
import { parseVersion } from '../../../lib/pypi/version.js'
import { makePackage, versionsOfX } from '../../helpers/package.js'

t.test('reads each version of a project once', async t => {
  const versions = new VersionReader()
  const [one, two, odd] = versionsOfX('1.0', '1.0', 'odd')
  const first = versions.of(one as never)
  t.match(first, { release: [1, 0] })
  t.equal(versions.of(two as never), first)
  t.equal(versions.of(odd as never), undefined)
  t.equal(versions.of(odd as never), undefined)
  t.equal(versions.of(makePackage('x', 'README')), undefined)
  const other = versions.of(makePackage('y', 'y-1.0.zip'))
  t.match(other, { release: [1, 0] })
  t.not(other, first, 'the next project begins anew')
})

t.test('of a project with more versions than are remembered, each still reads right', async t => {
  const versions = new VersionReader()
  const read = (patch: number) =>
    versions.of(makePackage('x', `x-1.${patch}.tar.gz`, { version: `1.${patch}` }))
  for (let patch = 0; patch <= 10_000; patch++) read(patch)
  t.ok(isDeepStrictEqual(read(3), parseVersion('1.3')))
})
