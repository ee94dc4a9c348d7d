import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createFilter, type FilterOptions } from '../../../lib/filter/index.js'
import type { Package } from '../../../lib/pypi/package.js'
import { makePackage, versionsOfX } from '../../helpers/package.js'

interface Outcome {
  readonly kept: string[]
  readonly dropped: Record<string, string>
}

function run(options: FilterOptions, packages: readonly Package[]): Outcome {
  const outcome: Outcome = { kept: [], dropped: {} }
  const filter = createFilter(options)
  const sink = {
    keep: (pkg: Package) => outcome.kept.push(pkg.filename),
    drop: (pkg: Package, name: string) => {
      outcome.dropped[pkg.filename] = name
    }
  }
  for (const pkg of packages) filter.add(pkg, sink)
  filter.end(sink)
  return outcome
}

t.test('without options only pre-releases go', async t => {
  t.strictSame(run({}, versionsOfX('1.0', '2.0rc1', 'odd')), {
    kept: ['x-1.0.tar.gz', 'x-odd.tar.gz'],
    dropped: { 'x-2.0rc1.tar.gz': 'prereleases' }
  })
})

t.test('the first filter that takes a file out is named', async t => {
  const wheel = 'x-1.0-cp39-cp39-win32.whl'
  const packages = [
    makePackage('y', 'y-1.0.zip'),
    makePackage('z', 'z-1.0rc1.zip'),
    makePackage('x', 'x-0.5rc1.zip'),
    makePackage('x', 'x-1.0rc1.zip'),
    makePackage('x', 'x-1.0.msi'),
    makePackage('x', wheel),
    makePackage('x', 'x-1.0-cp39-cp39-any.whl'),
    makePackage('x', 'x-1.0-py3-none-any.whl'),
    makePackage('x', 'x-1.0.zip', { uploadTime: '2020-01-01', size: 11 }),
    makePackage('x', 'x-1.0.tar.gz', { uploadTime: '2020-01-01', size: 10 }),
    makePackage('x', 'x-1.1.tar.gz', { uploadTime: '2020-01-01', size: 10 })
  ]
  const { kept, dropped } = run(
    {
      includes: ['x', 'y'],
      excludes: ['y', 'x<1.0rc1'],
      packageTypes: ['sdist', 'bdist_wheel'],
      excludePlatforms: ['windows'],
      python: '3.11',
      uploadedBefore: '2021-01-01',
      maxFileSize: 10,
      keepLatest: 1
    },
    packages
  )
  t.strictSame(kept, ['x-1.1.tar.gz'])
  t.strictSame(Object.values(dropped), [
    'excludes',
    'includes',
    'excludes',
    'prereleases',
    'packageTypes',
    'excludePlatforms',
    'python',
    'uploadedBefore',
    'maxFileSize',
    'keepLatest'
  ])
})

t.test('keepLatest counts what the other filters leave', async t => {
  const packages = [
    ...versionsOfX('1.0', '1.1', '2.0rc1', '2.0', '2.1', '3.0a1'),
    makePackage('x', 'x-4.0-py3-none-any.whl')
  ]
  t.strictSame(run({ keepLatest: 2, packageTypes: ['sdist'] }, packages).kept, [
    'x-2.0.tar.gz',
    'x-2.1.tar.gz'
  ])
  t.strictSame(run({ keepLatest: 2, excludes: ['x>=2.1'] }, packages).kept, ['x-1.1.tar.gz', 'x-2.0.tar.gz'])
  t.strictSame(run({ keepLatest: 0 }, packages).kept.length, 5)
})

t.test('bad options are refused before anything else', async t => {
  t.throws(() => createFilter({ includes: ['x=1'] }), { code: 'ERR_MILLRACE_REQUIREMENT' })
  t.throws(() => createFilter({ keepLatest: -1 }), { code: 'ERR_MILLRACE_OPTION' })
  // @ts-expect-error no such kind of file
  t.throws(() => createFilter({ packageTypes: ['wheel'] }), { code: 'ERR_MILLRACE_OPTION' })
})

const VERSIONS = [
  '0.9',
  '1.0',
  '1.0.0',
  '1.0rc1',
  '1.0.post1',
  '1.1.dev1',
  '2.0a1',
  '2.0',
  '1!0.1',
  '2004d',
  'odd',
  '1.0+l'
]
const ENDINGS = [
  '.tar.gz',
  '-py3-none-any.whl',
  '-cp311-cp311-win_amd64.whl',
  '-cp39-abi3-manylinux_2_28_x86_64.whl',
  '.win32.exe'
]

const files = fc.uniqueArray(
  fc.record({
    project: fc.constantFrom('x', 'y', 'zope.interface'),
    version: fc.constantFrom(...VERSIONS),
    ending: fc.constantFrom(...ENDINGS),
    requiresPython: fc.constantFrom(undefined, '>=3.8', '<3', 'nonsense'),
    uploadTime: fc.constantFrom(undefined, '2020-01-01T00:00:00Z', '2024-01-01T00:00:00Z'),
    size: fc.constantFrom(undefined, 1, 2000)
  }),
  {
    selector: ({ project, version, ending }) => `${project}-${version}${ending}`,
    minLength: 20,
    maxLength: 60
  }
)

const requirements = fc.array(
  fc.constantFrom('x', 'y', 'x>=1', 'x==1.0rc1', 'y<2', 'zope-interface!=2.0', 'X===2004d', 'y~=1.0'),
  { maxLength: 3 }
)

/** Each option is set in half of the runs. */
const sometimes = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 1 })

const optionSets: fc.Arbitrary<FilterOptions> = fc.record({
  includes: sometimes(requirements),
  excludes: sometimes(requirements),
  prereleases: sometimes(fc.constant(true)),
  packageTypes: sometimes(fc.subarray(['sdist', 'bdist_wheel'] as const)),
  keepLatest: fc.constantFrom(0, 0, 1, 2, 5),
  excludePlatforms: sometimes(fc.subarray(['windows', 'linux'] as const)),
  python: sometimes(fc.constant('3.11')),
  uploadedBefore: sometimes(fc.constant('2022-01-01')),
  maxFileSize: sometimes(fc.constant('1kB'))
})

/** The same files, projects in another order and the files of each in another order. */
const orders = fc.tuple(files, fc.infiniteStream(fc.nat())).map(([all, numbers]) => {
  const packages = all.map(({ project, version, ending, ...more }) =>
    makePackage(project, `${project}-${version}${ending}`, { version, ...more })
  )
  const shuffled = (): Package[] => {
    const keys = new Map(packages.map(pkg => [pkg, numbers.next().value as number]))
    const ofProject = new Map(packages.map(({ project }) => [project, numbers.next().value as number]))
    const key = (pkg: Package): [number, number] => [
      ofProject.get(pkg.project) as number,
      keys.get(pkg) as number
    ]
    return packages.toSorted((a, b) => {
      const [left, right] = [key(a), key(b)]
      return left[0] - right[0] || a.project.localeCompare(b.project) || left[1] - right[1]
    })
  }
  return [shuffled(), shuffled()] as const
})

t.test('the order of projects, releases and files changes nothing', async t => {
  let kept = 0
  fc.assert(
    fc.property(orders, optionSets, ([one, other], options) => {
      const [a, b] = [run(options, one), run(options, other)]
      kept += a.kept.length
      assert.deepEqual(a.kept.toSorted(), b.kept.toSorted())
      assert.deepEqual(a.dropped, b.dropped)
      assert.equal(a.kept.length + Object.keys(a.dropped).length, one.length)
    }),
    { seed: 691, numRuns: 500 }
  )
  t.ok(kept > 1000, `${kept} files were kept`)
})

t.test('what stays, stays in its order', async () => {
  fc.assert(
    fc.property(orders, optionSets, ([packages], options) => {
      const { kept } = run(options, packages)
      const names = packages.map(({ filename }) => filename)
      assert.deepEqual(
        kept,
        names.filter(filename => kept.includes(filename))
      )
    }),
    { seed: 592, numRuns: 200 }
  )
})
