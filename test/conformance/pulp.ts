/**
 * The outcomes that Pulp's own sync tests expect of its fixture index, through `PackageFilter`. Where our rules differ
 * from Pulp's is listed in docs/conformance.md; these outcomes are the same by both.
 */
import { Readable } from 'node:stream'
import t from 'tap'
import { selectProjects } from '../../lib/filter/projects.js'
import type { Package } from '../../lib/pypi/package.js'
import { PackageFilter, type PackageFilterOptions } from '../../streams/package-filter.js'
import { PULP_INDEX } from '../fixtures/pulp-index.js'
import { makePackage } from '../helpers/package.js'

const INDEX: readonly Package[] = Object.entries(PULP_INDEX).flatMap(([name, files]) =>
  files.map(filename => makePackage(name, filename))
)

async function sync(options: PackageFilterOptions): Promise<Package[]> {
  const projects = selectProjects(options)
  const source = Readable.from(INDEX.filter(({ project }) => projects.admits(project)))
  return source.pipe(new PackageFilter(options)).toArray()
}

async function count(options: PackageFilterOptions): Promise<number> {
  return (await sync(options)).length
}

const XS = ['shelf-reader']
const SM = ['aiohttp>=3.2.0,<3.3.1', 'celery>4.1.0,<=4.2.0', 'Django>1.10.0,<1.10.5']
const MD = ['shelf-reader', 'aiohttp>=3.2.0,<3.3.1', 'celery~=4.0', 'Django>1.10.0,<=2.0.6']
const PRERELEASES = ['aiohttp>3.3.1,<=3.3.2', 'celery', 'Django']
const UNAVAILABLE = ['shelf-reader', 'aiohttp>=3.2.0,<3.3.1', 'flake8', 'pyramid', 'pylint']
const ALL = Object.keys(PULP_INDEX)

t.test('the index has the files that it should have', async t => {
  t.strictSame(Object.fromEntries(Object.entries(PULP_INDEX).map(([name, files]) => [name, files.length])), {
    aiohttp: 7,
    bcrypt: 8,
    celery: 13,
    crane: 0,
    Django: 31,
    'pulp-2to3-migration': 2,
    pytz: 6,
    scipy: 23,
    setuptools: 2,
    'shelf-reader': 2,
    twine: 14
  })
  t.equal(new Set(INDEX.map(({ filename }) => filename)).size, 108)
  t.ok(INDEX.every(({ version, packageType }) => version !== undefined && packageType !== 'unknown'))
  t.equal(await count({ prereleases: true }), 108)
})

t.test('includes', async t => {
  t.equal(await count({ includes: XS }), 2)
  t.equal(await count({ includes: ['aiohttp>=3.2.0,<3.3.1'] }), 3)
  t.equal(await count({ includes: ['celery~=4.0'] }), 5)
  t.equal(await count({ includes: ['Django>1.10.0,<=2.0.6'] }), 16)
  t.equal(await count({ includes: ['twine==6.0.0'] }), 2)
  t.equal(await count({ includes: SM }), 13)
  t.equal(await count({ includes: MD }), 26)
  t.equal(await count({ includes: UNAVAILABLE }), 5)
})

t.test('excludes', async t => {
  t.equal(await count({ includes: MD, excludes: SM }), 13)
  t.equal(await count({ includes: MD, excludes: XS }), 24)
  t.equal(await count({ includes: MD, excludes: UNAVAILABLE }), 21)
})

t.test('pre-releases', async t => {
  t.equal(await count({ includes: PRERELEASES }), 30)
  t.equal(await count({ includes: PRERELEASES, prereleases: true }), 46)
  for (const [name, all, stable] of [
    ['aiohttp>3.3.1,<=3.3.2', 2, 1],
    ['celery', 13, 9],
    ['Django', 31, 20]
  ] as const) {
    t.equal(await count({ includes: [name], prereleases: true }), all, name)
    t.equal(await count({ includes: [name] }), stable, name)
  }
})

t.test('the latest versions', async t => {
  t.equal(await count({ includes: ['Django'], keepLatest: 3, prereleases: true }), 4)
  t.equal(await count({ includes: ALL, keepLatest: 3, prereleases: true }), 59)
})

t.test('kinds of file', async t => {
  t.equal(await count({ includes: ALL, packageTypes: ['sdist'], prereleases: true }), 36)
  t.equal(await count({ includes: ALL, packageTypes: ['bdist_wheel'], prereleases: true }), 72)
  t.equal(await count({ includes: ALL, packageTypes: ['sdist', 'bdist_wheel'], prereleases: true }), 108)
})

t.test('systems', async t => {
  for (const [excludePlatforms, expected] of [
    [['windows'], 15],
    [['macos'], 19],
    [['linux'], 13],
    [['windows', 'macos', 'linux', 'freebsd'], 1]
  ] as const)
    t.equal(await count({ includes: ['scipy'], excludePlatforms }), expected, excludePlatforms.join())
})

t.test('several at once', async t => {
  t.equal(await count({ includes: ALL, packageTypes: ['bdist_wheel'], keepLatest: 1 }), 36)
})

t.test('where Pulp and we differ, by which rule', async t => {
  const versions = async (options: PackageFilterOptions): Promise<(string | undefined)[]> => [
    ...new Set((await sync(options)).map(({ version }) => version))
  ]
  t.strictSame(
    await versions({ includes: ['celery'], keepLatest: 3 }),
    ['4.1.0', '4.1.1', '4.2.0'],
    'keepLatest counts what is left: Pulp counts the release candidates too and then takes them out, which leaves 4.2.0'
  )
  t.strictSame(
    await versions({ includes: ['celery'], keepLatest: 1, packageTypes: ['sdist'] }),
    ['3.1.26.post1'],
    'Pulp keeps the latest of all kinds, has no sdist of it, and ends with nothing'
  )
  t.strictSame(
    await versions({ includes: ['celery==4.2.0rc4'] }),
    ['4.2.0rc4'],
    'a pin is kept; Pulp drops it'
  )
  t.equal(
    await count({ includes: ['bcrypt'], excludePlatforms: ['linux'] }),
    3,
    'musllinux and manylinux_2_28 are Linux; to Pulp they are not, which keeps 6'
  )
})
