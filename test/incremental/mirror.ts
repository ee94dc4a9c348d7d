/** What upstream does to a mirror, step by step: what each version shows, and what the one before it still does. */
import t, { type Test } from 'tap'
import type { StoredPackage } from '../../lib/catalog/rows.js'
import { verify } from '../../streams/verify.js'
import { addProject, type SyncSetup, syncSetup } from '../helpers/sync.js'

interface Mirror extends SyncSetup {
  /** Syncs; says what changed, as `+added -removed`, or `nothing`. */
  follow(): Promise<string>
  /** A package of a version. */
  pkg(filename: string, version?: number): Promise<StoredPackage | undefined>
}

/** A mirror of the projects `a` (versions 1 and 2) and `b`, with their files. */
async function mirror(t: Test): Promise<Mirror> {
  const setup = await syncSetup(t)
  const { run, index, packages } = setup
  addProject(index, 'a', '1', '2')
  addProject(index, 'b', '1')
  const options = { mirror: true, policy: 'immediate' } as const
  await run(options)
  return {
    ...setup,
    async follow() {
      const report = await run(options)
      t.strictSame(report.failures, [])
      t.match(await verify({ catalog: setup.catalog, store: setup.store }), { found: 0 })
      const { added, removed } = report.packages
      return report.changed ? `+${added} -${removed}` : 'nothing'
    },
    pkg: async (filename, version) => (await packages(version)).find(pkg => pkg.filename === filename)
  }
}

const FILE = 'a-1.tar.gz'

t.test('a file is yanked, for another reason, and not any more', async t => {
  const { follow, index, pkg } = await mirror(t)
  const reasons = ['broken', '', false, false] as const
  const changes = []
  for (const yanked of reasons) {
    index.index.describe('a', FILE, { yanked })
    changes.push(await follow())
  }
  t.strictSame(changes, ['+1 -1', '+1 -1', '+1 -1', 'nothing'])
  const shown = []
  for (let version = 1; version <= 4; version++) shown.push((await pkg(FILE, version))?.yanked)
  t.strictSame(shown, [false, 'broken', '', false])
  t.ok((await pkg(FILE))?.file, 'the file is the same')
  t.equal(index.requests(FILE).length, 1)
})

t.test('a project is spelled otherwise', async t => {
  const { follow, index, names, packages } = await mirror(t)
  addProject(index, 'Some.Name', '1')
  t.equal(await follow(), '+1 -0')
  index.index.rename('Some.Name', 'some_name')
  t.equal(await follow(), '+1 -1', 'each of its files, which tell the name')
  t.equal((await names()).length, 4)
  const spelled = async (version: number) =>
    (await packages(version)).filter(({ project }) => project === 'some-name').map(({ name }) => name)
  t.strictSame([await spelled(2), await spelled(3)], [['Some.Name'], ['some_name']])
  t.equal(await follow(), 'nothing')
  t.equal(index.requests('Some.Name-1').length, 1)
})

t.test('a project moves to another name', async t => {
  const { follow, index, packages } = await mirror(t)
  index.index.rename('b', 'c')
  t.equal(await follow(), '+1 -1')
  t.strictSame(
    (await packages()).map(({ project }) => project),
    ['a', 'a', 'c']
  )
  t.strictSame(
    (await packages(1)).map(({ project }) => project),
    ['a', 'a', 'b']
  )
})

t.test('a file has a new digest under its old name', async t => {
  const { follow, index, pkg, stored } = await mirror(t)
  index.index.upload('a', { filename: FILE, content: 'other bytes' })
  t.equal(await follow(), '+1 -1')
  const [before, now] = [await pkg(FILE, 1), await pkg(FILE, 2)]
  t.not(before?.digests.sha256, now?.digests.sha256)
  for (const one of [before, now]) {
    t.equal(one?.file, one?.digests.sha256)
    t.ok((await stored()).has(String(one?.file)), 'the store has both')
  }
  index.index.upload('a', { filename: FILE })
  t.equal(await follow(), '+1 -1')
  t.equal((await pkg(FILE))?.digests.sha256, before?.digests.sha256)
  t.equal(await follow(), 'nothing')
})

t.test('a file goes, and comes back', async t => {
  const { follow, index, names } = await mirror(t)
  index.index.remove('a', FILE)
  t.equal(await follow(), '+0 -1')
  index.index.upload('a', { filename: FILE })
  t.equal(await follow(), '+1 -0')
  t.strictSame(await names(), await names(1))
  t.equal(index.requests(FILE).length, 1, 'the store had it all the time')
})

t.test('a project goes, and comes back', async t => {
  const { follow, index, names } = await mirror(t)
  for (let round = 0; round < 2; round++) {
    index.index.remove('a')
    t.equal(await follow(), '+0 -2')
    t.equal(await follow(), 'nothing')
    t.strictSame(await names(), ['b-1.tar.gz'])
    addProject(index, 'a', '1', '2')
    t.equal(await follow(), '+2 -0')
    t.strictSame(await names(), await names(1))
  }
  t.equal(index.requests(FILE).length, 1)
})

t.test('a project comes back as it was when no serial tells of it', async t => {
  const { index, run, names } = await syncSetup(t, { formats: ['html'] })
  addProject(index, 'a', '1')
  addProject(index, 'b', '1')
  await run({ mirror: true })
  const gone = index.fault({ kind: 'status', status: 404, match: '/simple/a/' })
  await run({ mirror: true })
  t.strictSame(await names(), ['b-1.tar.gz'])
  gone()
  await run({ mirror: true })
  t.strictSame(await names(), ['a-1.tar.gz', 'b-1.tar.gz'])
})

t.test('a project that fails keeps what it has, and so does one whose file fails', async t => {
  const { run, index, names } = await mirror(t)
  const options = { mirror: true, policy: 'immediate', maxRetries: 0 } as const
  index.index.remove('a', 'a-1.tar.gz')
  index.index.upload('a', { filename: 'a-3.tar.gz' })
  for (const match of ['/simple/a/', 'a-3.tar.gz']) {
    const heal = index.fault({ kind: 'status', status: 500, match })
    t.match(await run(options), { changed: false, projects: { failed: 1 } })
    t.strictSame(await names(), ['a-1.tar.gz', 'a-2.tar.gz', 'b-1.tar.gz'])
    heal()
  }
  t.match(await run(options), { packages: { added: 1, removed: 1 }, failures: { length: 0 } })
  t.strictSame(await names(), ['a-2.tar.gz', 'a-3.tar.gz', 'b-1.tar.gz'])
})

t.test('old versions are forgotten, and the files that only they had', async t => {
  const { run, index, stored, open, names, catalog, store } = await mirror(t)
  const options = { mirror: true, policy: 'immediate', keepVersions: 2 } as const
  for (const version of ['3', '4', '5']) {
    index.index.remove('a')
    addProject(index, 'a', version)
    await run(options)
  }
  t.match(await open(catalog => catalog.versions('pypi')), [{ number: 3 }, { number: 4 }])
  t.strictSame(await names(3), ['a-4.tar.gz', 'b-1.tar.gz'])
  t.equal((await stored()).size, 3)
  t.match(await run({ ...options, keepVersions: 1 }), { changed: false, version: 4 })
  t.equal((await stored()).size, 2)
  await t.rejects(names(3), { code: 'ERR_MILLRACE_CATALOG' })
  t.match(await verify({ catalog, store }), {
    found: 0
  })
  for (const keepVersions of [0, 1.5]) {
    await t.rejects(run({ keepVersions }), { code: 'ERR_MILLRACE_OPTION', option: 'keepVersions' })
  }
})
