import t from 'tap'
import { VersionReader } from '../../../lib/filter/filter.js'
import { prereleasesFilter } from '../../../lib/filter/prereleases.js'
import { makePackage, versionsOfX } from '../../helpers/package.js'

const kept = (includes: string[] | undefined, ...versions: string[]): string[] => {
  const filter = prereleasesFilter({ includes }, new VersionReader())
  return versionsOfX(...versions)
    .filter(pkg => filter?.keeps(pkg))
    .map(({ version }) => version as string)
}

const SPELLINGS = [
  '1.0RC1',
  '1.0rc',
  '1.0c1',
  '1.0.pre1',
  '1.0preview1',
  '1.0-alpha.1',
  '1.0a1.post1',
  '1.0b2+local',
  '1.0.dev',
  '1.post1.dev2'
]

t.test('every spelling of a pre-release goes, and nothing else', async t => {
  t.strictSame(kept(undefined, ...SPELLINGS), [])
  const finals = ['1.0', '1.0.post1', '1.0-1', '1.0+gitab12', '1!2', '2004d', '1.0beta5prerelease']
  t.strictSame(kept(undefined, ...finals), finals)
  t.ok(prereleasesFilter({}, new VersionReader())?.keeps(makePackage('x', 'README')))
})

t.test('with prereleases all stay', async t => {
  t.equal(prereleasesFilter({ prereleases: true }, new VersionReader()), undefined)
})

t.test('a pin keeps the very version', async t => {
  const versions = ['1.0rc1', '1.0.RC1', '2.0rc1', '2.0']
  t.strictSame(kept(['x==1.0rc1'], ...versions), ['1.0rc1', '1.0.RC1', '2.0'])
  t.strictSame(kept(['X===1.0RC1'], ...versions), ['1.0rc1', '2.0'])
  t.strictSame(kept(['x<1', 'x>=0.5,==1.0c1'], ...versions), ['1.0rc1', '1.0.RC1', '2.0'])
  t.strictSame(
    kept(['x==1.0rc1,!=1.0rc1', 'y==1.0rc1', 'x>=2.0rc1', 'x==1.0.*', 'x', 'x~=1.0rc1'], ...versions),
    ['2.0']
  )
})

t.test('bad options', async t => {
  // @ts-expect-error not a boolean
  t.throws(() => prereleasesFilter({ prereleases: 'yes' }, new VersionReader()), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'prereleases'
  })
})
