import t from 'tap'
import { syncKeys } from '../../streams/sync-keys.js'
import type { SyncOptions } from '../../streams/sync-stages.js'

const index = new URL('https://index.example/simple/')
const keys = (options: SyncOptions, url = index) => syncKeys(options, url)

/** Which of two options' keys are one: the run's, and those of the projects `a`, `b`. */
function same(one: SyncOptions, other: SyncOptions): boolean[] {
  const [x, y] = [keys(one), keys(other)]
  return [x.key === y.key, ...['a', 'b'].map(project => x.projectKey(project) === y.projectKey(project))]
}

t.test('what decides for all projects is in all keys', async t => {
  const deciding: SyncOptions[] = [
    { prereleases: true },
    { keepLatest: 3 },
    { python: '3.12' },
    { uploadedBefore: '7d' },
    { maxFileSize: '1MB' },
    { packageTypes: ['sdist'] },
    { excludePlatforms: ['windows'] },
    { source: 'json' }
  ]
  for (const options of deciding)
    t.strictSame(same({}, options), [false, false, false], JSON.stringify(options))
  t.not(keys({}).key, keys({}, new URL('https://other.example/simple/')).key)
})

t.test('what decides nothing is in none', async t => {
  const others: SyncOptions[] = [
    { concurrency: 1, strict: true, mirror: true, fullCheck: 'never', keepVersions: 2, policy: 'streamed' },
    { source: 'simple', policy: 'on-demand', includes: [], excludes: undefined }
  ]
  for (const options of others) t.strictSame(same({}, options), [true, true, true])
  const url = new URL('https://user:secret@index.example/simple/?token=secret')
  t.equal(keys({}, url).key, keys({}, new URL('https://index.example/simple/')).key)
  t.strictSame(
    same(
      { packageTypes: ['sdist', 'bdist_wheel'], excludePlatforms: ['macos', 'linux'] },
      { packageTypes: ['bdist_wheel', 'sdist'], excludePlatforms: ['linux', 'macos'] }
    ),
    [true, true, true],
    'nor does the order'
  )
})

t.test('files are no matter of a project’s own key', async t => {
  t.strictSame(same({}, { policy: 'immediate' }), [false, true, true])
})

t.test('requirements are in the keys of their projects', async t => {
  t.strictSame(same({}, { includes: ['a', 'b'] }), [false, true, true])
  t.strictSame(same({ includes: ['a', 'b>1'] }, { includes: ['A', 'b>2', 'c'] }), [false, true, false])
  t.strictSame(same({ includes: ['a>1'] }, { includes: ['a>1', 'a<3'] }), [false, false, true])
  t.strictSame(same({ excludes: ['b==1'] }, { excludes: ['b==1', 'c'] }), [false, true, true])
  t.strictSame(same({}, { excludes: ['b==1'] }), [false, true, false])
  t.strictSame(same({ includes: ['b==1'] }, { excludes: ['b==1'] }), [false, true, false])
  t.strictSame(
    same(
      { includes: ['a>1,<3', 'a==5', 'b'] },
      { includes: ['b [x] ; python_version<"3"', 'a == 5', 'a<3,>1', 'a==5'] }
    ),
    [true, true, true],
    'but not how they are written'
  )
  t.strictSame(
    same({ includes: ['a', 'a==1rc1'] }, { includes: ['a'] }),
    [false, false, true],
    'a pre-release by name'
  )
})
