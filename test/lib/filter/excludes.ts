import t from 'tap'
import { excludesFilter } from '../../../lib/filter/excludes.js'
import { VersionReader } from '../../../lib/filter/filter.js'
import { makePackage, versionsOfX } from '../../helpers/package.js'

const kept = (excludes: string[], ...versions: string[]): string[] => {
  const filter = excludesFilter({ excludes }, new VersionReader())
  return versionsOfX(...versions)
    .filter(pkg => filter?.keeps(pkg) ?? true)
    .map(({ version }) => version as string)
}

t.test('nothing to exclude, no filter', async t => {
  t.equal(excludesFilter({}, new VersionReader()), undefined)
  t.equal(excludesFilter({ excludes: [] }, new VersionReader()), undefined)
})

t.test('versions that one of the specifiers names go', async t => {
  t.strictSame(kept(['X<2', 'x==3.*'], '1.0', '2.0', '2.1rc1', '3.5', '3.5rc1'), ['2.0', '2.1rc1'])
  t.strictSame(kept(['y'], '1.0'), ['1.0'])
})

t.test('without a specifier the whole project goes, whatever its versions', async t => {
  t.strictSame(kept(['x'], '1.0', '2rc1', '2004d'), [])
  t.strictSame(kept(['x[extra]; python_version < "3"'], '1.0'), [])
  t.notOk(excludesFilter({ excludes: ['x'] }, new VersionReader())?.keeps(makePackage('x', 'README')))
})

t.test('a version that PEP 440 does not allow is judged by === only', async t => {
  t.strictSame(kept(['x>=0', 'x!=1'], '1.0', '2004d'), ['1.0', '2004d'].slice(1))
  t.strictSame(kept(['x===2004D'], '1.0', '2004d'), ['1.0'])
})

t.test('what cannot be read is refused', async t => {
  t.throws(() => excludesFilter({ excludes: ['x<'] }, new VersionReader()), {
    code: 'ERR_MILLRACE_REQUIREMENT'
  })
})
