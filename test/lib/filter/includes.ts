import t from 'tap'
import { VersionReader } from '../../../lib/filter/filter.js'
import { includesFilter } from '../../../lib/filter/includes.js'
import { parseRequirement } from '../../../lib/pypi/requirement.js'
import { makePackage, versionsOfX } from '../../helpers/package.js'

const kept = (includes: string[], ...versions: string[]): string[] => {
  const filter = includesFilter({ includes }, new VersionReader())
  return versionsOfX(...versions)
    .filter(pkg => filter?.keeps(pkg) ?? true)
    .map(({ version }) => version as string)
}

t.test('nothing to include, no filter', async t => {
  t.equal(includesFilter({}, new VersionReader()), undefined)
  t.equal(includesFilter({ includes: [] }, new VersionReader()), undefined)
})

t.test('of several requirements each adds', async t => {
  t.strictSame(kept(['X<1.1', 'x>2'], '1.0', '1.5', '2.0', '2.1'), ['1.0', '2.1'])
  t.strictSame(kept(['x', 'x==1.0'], '1.0', '1.5'), ['1.0', '1.5'])
  t.strictSame(kept(['y'], '1.0'), [])
})

t.test('specifiers do not take out pre-releases by themselves', async t => {
  t.strictSame(kept(['x>=1'], '1.0', '2.0rc1', '1.0.dev1'), ['1.0', '2.0rc1'])
})

t.test('a version that PEP 440 does not allow', async t => {
  t.strictSame(kept(['x'], '1.0', '2004d'), ['1.0', '2004d'])
  t.strictSame(kept(['x>=0', 'x!=1'], '1.0', '2004d'), ['1.0'])
  t.strictSame(kept(['x===2004D'], '1.0', '2004d'), ['2004d'])
  const filter = includesFilter({ includes: ['x>=0'] }, new VersionReader())
  t.notOk(filter?.keeps(makePackage('x', 'README')), 'nor one that is not known')
})

t.test('extras, markers and URLs do not narrow it; requirements may be taken apart before', async t => {
  const includes = [parseRequirement('x[a] >= 2; python_version < "3"'), 'y @ https://example.org/y.zip']
  const filter = includesFilter({ includes }, new VersionReader())
  t.ok(filter?.keeps(makePackage('x', 'x-2.zip')))
  t.notOk(filter?.keeps(makePackage('x', 'x-1.zip')))
  t.ok(filter?.keeps(makePackage('y', 'y-1.zip')))
})

t.test('what cannot be read is refused', async t => {
  t.throws(() => includesFilter({ includes: ['x y'] }, new VersionReader()), {
    code: 'ERR_MILLRACE_REQUIREMENT'
  })
  for (const includes of [['x>2,<1'], ['x', 'x==1,!=1.*']])
    t.throws(() => includesFilter({ includes }, new VersionReader()), {
      code: 'ERR_MILLRACE_REQUIREMENT',
      why: 'no version can meet all of its specifiers'
    })
})
