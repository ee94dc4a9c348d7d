import fc from 'fast-check'
import t from 'tap'
import {
  canonicalizeVersion,
  comparePublic,
  compareVersions,
  formatVersion,
  isPrerelease,
  parseVersion,
  type Version
} from '../../../lib/pypi/version.js'

const read = (text: string): Version => parseVersion(text) as Version

t.test('every spelling has one normal form', async t => {
  for (const [text, normal] of [
    ['1', '1'],
    [' v1.02.0 ', '1.2.0'],
    ['3!2.0-ALPHA_4', '3!2.0a4'],
    ['2.0.beta', '2.0b0'],
    ['2.0c3', '2.0rc3'],
    ['2.0-preview-3', '2.0rc3'],
    ['2.0pre', '2.0rc0'],
    ['2.0-7', '2.0.post7'],
    ['2.0_rev07', '2.0.post7'],
    ['2.0r', '2.0.post0'],
    ['2.0DEV', '2.0.dev0'],
    ['2.0rc1.post2.dev3+Ubuntu-1_x', '2.0rc1.post2.dev3+ubuntu.1.x'],
    ['1.0+007', '1.0+7']
  ] as const)
    t.equal(formatVersion(read(text)), normal, text)
})

t.test('what PEP 440 does not allow', async t => {
  const refused = [
    '',
    'latest',
    '2004d',
    '1.0.x',
    '1..0',
    '.9',
    '1.0+',
    '1.0+a!b',
    '1.0 rc1',
    '1.0beta5prerelease',
    '1٠'
  ]
  for (const text of refused) t.equal(parseVersion(text), undefined, text)
})

t.test('local segments that look like numbers in JavaScript stay what they are', async t => {
  for (const local of ['1e5', '0x10', 'infinity', '12ab'])
    t.equal(formatVersion(read(`1.0+${local}`)), `1.0+${local}`)
  t.equal(formatVersion(read('1.0+8.0')), '1.0+8.0')
})

t.test('numbers of any length are exact', async t => {
  const [a, b] = ['1.0.dev12345678901234567890', '1.0.dev12345678901234567891'] as const
  t.equal(formatVersion(read(a)), a)
  t.ok(compareVersions(read(a), read(b)) < 0)
  t.ok(compareVersions(read(b), read('1.0.dev5')) > 0)
  t.ok(compareVersions(read('1.0+9007199254740993'), read('1.0+9007199254740992')) > 0)
  t.equal(compareVersions(read('00000000000000001.0'), read('1')), 0)
  t.equal(
    formatVersion(read('20240101123456789!9007199254740993.1a9007199254740993')),
    '20240101123456789!9007199254740993.1a9007199254740993'
  )
})

/** Ascending; on one line, equal ones. */
const LADDER = [
  ['1.dev0', '1.0.0.dev'],
  ['1.0a1.dev2'],
  ['1.0a1', '1.0alpha1', '1.0.0-a.1'],
  ['1.0a1.post0'],
  ['1.0b0', '1.0beta'],
  ['1.0rc1', '1.0c1'],
  ['1.0rc2'],
  ['1', '1.0', '1.0.0'],
  ['1.0+abc'],
  ['1.0+abd'],
  ['1.0+5', '1.0+05'],
  ['1.0+5.a'],
  ['1.0+5.0'],
  ['1.0+10'],
  ['1.0.post0.dev1'],
  ['1.0.post0', '1.0post'],
  ['1.0.post1', '1.0-1'],
  ['1.0.1'],
  ['1.2'],
  ['1.10'],
  ['2024.1'],
  ['1!0.1']
]

t.test('the order of PEP 440', async t => {
  const flat = LADDER.flatMap((step, rank) => step.map(text => ({ rank, text, version: read(text) })))
  for (const a of flat)
    for (const b of flat)
      if (Math.sign(compareVersions(a.version, b.version)) !== Math.sign(a.rank - b.rank))
        t.fail(`${a.text} and ${b.text}`)
  t.equal(comparePublic(read('1.0+abc'), read('1.0')), 0)
})

t.test('pre-releases', async t => {
  for (const text of [
    '1a1',
    '1b1',
    '1rc1',
    '1.dev1',
    '1.post1.dev1',
    '1.0a1.post1',
    '1.0RC1',
    '1.0.pre1',
    '1.0b2+local'
  ])
    t.ok(isPrerelease(read(text)), text)
  for (const text of ['1', '1.post1', '1.0+gitab12', '1.0+dev']) t.notOk(isPrerelease(read(text)), text)
})

t.test('equal versions have equal canonical texts', async t => {
  t.equal(canonicalizeVersion('1.4.0.0'), '1.4')
  t.equal(canonicalizeVersion('0.0'), '0')
  t.equal(canonicalizeVersion('1.0RC1'), '1rc1')
  t.equal(canonicalizeVersion('1.0-SNAPSHOT'), '1.0-SNAPSHOT')
  const number = fc.oneof(fc.nat(3), fc.bigInt(0n, 10n ** 20n))
  const version = fc
    .record({
      release: fc.array(number, { minLength: 1, maxLength: 4 }),
      pre: fc.option(fc.tuple(fc.constantFrom('a', 'b', 'rc'), number)),
      post: fc.option(number),
      dev: fc.option(number),
      local: fc.option(fc.constantFrom('a', '0', '1', 'a.1'))
    })
    .map(({ release, pre, post, dev, local }) =>
      [
        release.join('.'),
        pre === null ? '' : pre.join(''),
        post === null ? '' : `.post${post}`,
        dev === null ? '' : `.dev${dev}`,
        local === null ? '' : `+${local}`
      ].join('')
    )
  fc.assert(
    fc.property(version, version, (a, b) => {
      const order = compareVersions(read(a), read(b))
      return (
        formatVersion(read(a)) === a &&
        order === -compareVersions(read(b), read(a)) + 0 &&
        (order === 0) === (canonicalizeVersion(a) === canonicalizeVersion(b))
      )
    }),
    { seed: 440, numRuns: 2000 }
  )
})
