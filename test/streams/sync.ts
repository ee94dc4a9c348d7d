import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import t from 'tap'
import { Catalog } from '../../lib/catalog/catalog.js'
import { Origins } from '../../lib/http/origins.js'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import { CatalogLookup } from '../../streams/catalog-lookup.js'
import { Downloader } from '../../streams/downloader.js'
import { MetadataParser } from '../../streams/metadata-parser.js'
import { PackageFilter } from '../../streams/package-filter.js'
import { PackageSaver } from '../../streams/package-saver.js'
import { type Stage, type SyncOptions, sync } from '../../streams/sync.js'
import type { VersionWriter } from '../../streams/version-writer.js'
import { onPostgres } from '../helpers/database.js'
import { addProject, endsAfter, syncSetup } from '../helpers/sync.js'

const NOTHING = {
  projects: { listed: 0, fetched: 0, unchanged: 0, missing: 0, failed: 0 },
  packages: { seen: 0, kept: 0, added: 0, removed: 0, present: 0 },
  files: { downloaded: 0, reused: 0, failed: 0, bytes: 0 },
  failures: { length: 0 }
}

/** A stage that lets through what `passes` does. */
function gate(passes: (item: never) => boolean): Transform {
  return new Transform({
    objectMode: true,
    transform(item, _encoding, done) {
      if (passes(item as never)) this.push(item)
      done()
    }
  })
}

t.test('each policy brings the same packages; only immediate brings files', async t => {
  for (const policy of ['on-demand', 'immediate', 'streamed', undefined] as const) {
    await t.test(String(policy), async t => {
      const { run, index, packages, stored } = await syncSetup(t, { projects: 5, files: 4, fileBytes: 500 })
      const report = await run({ policy, prereleases: true })
      const files = policy === 'immediate' ? 20 : 0
      t.match(report, {
        ...NOTHING,
        repository: 'pypi',
        version: 1,
        changed: true,
        projects: { ...NOTHING.projects, listed: 5, fetched: 5 },
        packages: { seen: 20, kept: 20, added: 20, removed: 0, present: 20 },
        files: { downloaded: files, reused: 0, failed: 0, bytes: files * 500 }
      })
      t.ok(report.durationMs > 0)
      const present = await packages()
      t.equal(present.length, 20)
      const held = await stored()
      t.equal(held.size, files)
      for (const { file, digests } of present) {
        t.equal(file, policy === 'immediate' ? digests.sha256 : undefined)
        if (file !== undefined) t.equal(held.get(file), 500)
      }
      t.match(index.stats().byKind, { listing: 1, project: 5, file: files })
    })
  }
})

t.test('a second run asks for the listing alone, and makes no version', async t => {
  const { run, index } = await syncSetup(t, { projects: 20 })
  await run({ policy: 'immediate' })
  index.reset()
  t.match(await run({ policy: 'immediate' }), {
    ...NOTHING,
    version: 1,
    changed: false,
    projects: { listed: 20, unchanged: 20 },
    packages: { present: 14 }
  })
  t.match(index.stats(), { requests: 1, byKind: { listing: 1 } })
})

t.test('named projects are asked for on condition, and their files are not fetched again', async t => {
  const { run, index } = await syncSetup(t, { projects: 3 })
  const options = { policy: 'immediate', includes: ['sample-000000', 'sample-000002'] } as const
  t.match(await run(options), { projects: { listed: 2, fetched: 2 } })
  index.reset()
  t.match(await run(options), { version: 1, changed: false, projects: { listed: 2, unchanged: 2 } })
  t.match(index.stats(), { requests: 2, byStatus: { 304: 2 } })
  index.index.release('sample-000002')
  index.reset()
  t.match(await run(options), { version: 2, packages: { added: 2, removed: 0 }, files: { downloaded: 2 } })
  t.match(index.stats().byKind, { listing: 0, project: 2, file: 2 })
})

t.test('a change of policy or of filters fetches the documents again, not the files', async t => {
  const { run, index, names } = await syncSetup(t)
  addProject(index, 'a', '1.0', '2.0')
  t.match(await run(), { packages: { added: 2 } })
  t.match(await run({ policy: 'immediate' }), { version: 1, changed: false, files: { downloaded: 2 } })
  index.reset()
  const report = await run({ policy: 'immediate', keepLatest: 1, mirror: true })
  t.match(report, {
    packages: { seen: 2, kept: 1, removed: 1, present: 1 },
    files: { downloaded: 0, reused: 1 }
  })
  t.equal(index.stats().byKind.file, 0)
  t.strictSame(await names(), ['a-2.0.tar.gz'])
  t.strictSame(await names(1), ['a-1.0.tar.gz', 'a-2.0.tar.gz'], 'older versions read as they were')
})

t.test('without mirror nothing is removed', async t => {
  const { run, index, names } = await syncSetup(t)
  addProject(index, 'a', '1', '2')
  addProject(index, 'b', '1')
  await run()
  index.index.remove('a', 'a-1.tar.gz')
  index.index.remove('b')
  t.match(await run(), { version: 1, changed: false })
  t.strictSame(await names(), ['a-1.tar.gz', 'a-2.tar.gz', 'b-1.tar.gz'])
})

t.test('a mirror follows what upstream removes, yanks and uploads again', async t => {
  const { run, index, names, packages } = await syncSetup(t)
  for (const name of ['a', 'b', 'c', 'd']) addProject(index, name, '1', '2')
  await run({ mirror: true })

  index.index.remove('a')
  index.index.remove('b', 'b-1.tar.gz')
  t.match(await run({ mirror: true }), { version: 2, packages: { added: 0, removed: 3, present: 5 } })
  t.strictSame(await names(), ['b-2.tar.gz', 'c-1.tar.gz', 'c-2.tar.gz', 'd-1.tar.gz', 'd-2.tar.gz'])

  index.index.yank('c', 'c-1.tar.gz', 'broken')
  index.index.upload('d', { filename: 'd-1.tar.gz', content: 'other' })
  t.match(await run({ mirror: true }), { version: 3, packages: { added: 2, removed: 2, present: 5 } })
  const digest = (version: number) =>
    packages(version).then(all => all.find(({ filename }) => filename === 'd-1.tar.gz')?.digests.sha256)
  t.not(await digest(2), await digest(3))
  t.equal((await packages()).find(({ filename }) => filename === 'c-1.tar.gz')?.yanked, 'broken')

  t.match(await run({ mirror: true }), { version: 3, changed: false })
})

t.test('a named project that is not there is missing, which is no failure', async t => {
  const { run, index, names } = await syncSetup(t)
  addProject(index, 'a', '1')
  addProject(index, 'b', '1')
  const includes = ['a', 'b', 'nowhere']
  t.match(await run({ includes, mirror: true }), {
    projects: { missing: 1, failed: 0 },
    failures: { length: 0 }
  })
  index.index.remove('b')
  t.match(await run({ includes, mirror: true }), { projects: { missing: 2 }, packages: { removed: 1 } })
  t.strictSame(await names(), ['a-1.tar.gz'])
})

t.test('includes and filters', async t => {
  const { run, index, names } = await syncSetup(t)
  addProject(index, 'a', '1.0', '2.0', '3.0rc1')
  addProject(index, 'b', '1.0', '2.0')
  addProject(index, 'c', '1.0')
  const report = await run({ includes: ['a', 'B>=2', 'c'], excludes: ['c', 'a==1.0'] })
  t.match(report.packages, { seen: 5, kept: 2, added: 2 })
  t.strictSame(await names(), ['a-2.0.tar.gz', 'b-2.0.tar.gz'])
  t.equal(index.stats().byKind.project, 2)
})

t.test('what an age takes out comes in when its time has come', async t => {
  const { run, index, names, rows } = await syncSetup(t)
  const hour = (ago: number) => new Date(Date.now() - ago * 3_600_000).toISOString()
  const upload = (version: string, ago: number) =>
    index.index.upload('a', { filename: `a-${version}.tar.gz`, uploadTime: hour(ago) })
  addProject(index, 'a')
  upload('1', 48)
  upload('2', 2)
  t.match(await run({ uploadedBefore: '1d' }), { packages: { seen: 2, kept: 1 } })
  t.match(await run({ uploadedBefore: '1d' }), { projects: { fetched: 0, unchanged: 1 } })
  t.strictSame(await names(), ['a-1.tar.gz'])
  const passed = await rows('UPDATE projects SET held_until = held_until - 23 * 3600000 RETURNING held_until')
  t.match(passed, [{ held_until: Number }])
  t.match(await run({ uploadedBefore: '1d' }), { projects: { fetched: 1, unchanged: 0 } })
})

for (const mirror of [false, true]) {
  t.test(`a project that fails keeps what it had, mirror: ${mirror}`, async t => {
    const { run, index, names, rows } = await syncSetup(t)
    addProject(index, 'a', '1', '2')
    addProject(index, 'b', '1')
    await run({ mirror })
    index.index.remove('a', 'a-1.tar.gz')
    index.index.release('b')
    const repair = index.fault({ kind: 'status', status: 500, match: '/simple/a/' })
    const report = await run({ mirror, maxRetries: 2 })
    t.match(report, {
      projects: { listed: 2, fetched: 1, failed: 1 },
      packages: { added: 2, removed: 0 },
      failures: [{ code: 'ERR_MILLRACE_STATUS', project: 'a', url: `${index.indexUrl}a/`, attempts: 3 }]
    })
    t.equal(report.failures.length, 1)
    t.match(await names(), ['a-1.tar.gz', 'a-2.tar.gz', 'b-1.tar.gz'])
    t.match(await rows('SELECT * FROM failures'), [
      { project: 'a', code: 'ERR_MILLRACE_STATUS', attempts: 3 }
    ])

    repair()
    index.reset()
    t.match(await run({ mirror }), {
      projects: { fetched: 1, unchanged: 1, failed: 0 },
      packages: { removed: mirror ? 1 : 0 },
      failures: { length: 0 }
    })
    const [asked] = index.requests('/simple/a/')
    t.equal(asked?.headers['if-none-match'], undefined, 'it is asked for without conditions')
  })
}

t.test('a file that fails is not added, and its project is due again', async t => {
  const { run, index, names, stored } = await syncSetup(t)
  addProject(index, 'a', '1', '2', '3')
  addProject(index, 'b', '1')
  const repair = index.fault({ kind: 'truncated', match: 'a-2.tar.gz' })
  t.match(await run({ policy: 'immediate', maxRetries: 1 }), {
    version: 1,
    projects: { fetched: 2, failed: 1 },
    packages: { seen: 4, kept: 4, added: 3 },
    files: { downloaded: 3, failed: 1 },
    failures: [{ code: 'ERR_MILLRACE_NETWORK', project: 'a', filename: 'a-2.tar.gz', attempts: 2 }]
  })
  t.strictSame(await names(), ['a-1.tar.gz', 'a-3.tar.gz', 'b-1.tar.gz'])
  t.equal((await stored()).size, 3)
  repair()
  index.reset()
  t.match(await run({ policy: 'immediate' }), {
    version: 2,
    projects: { fetched: 1, unchanged: 1, failed: 0 },
    packages: { added: 1, removed: 0, present: 4 },
    files: { downloaded: 1, reused: 2, failed: 0 },
    failures: { length: 0 }
  })
  t.match(index.stats().byKind, { listing: 1, project: 1, file: 1 })
})

t.test('a document of which an entry cannot be used loses that entry', async t => {
  const { run, index, names } = await syncSetup(t)
  addProject(index, 'a', '1', '2')
  index.index.upload('a', { filename: '../../etc/passwd' })
  const report = await run({ mirror: true })
  t.match(report, {
    projects: { fetched: 1, failed: 0 },
    packages: { added: 2 },
    failures: [{ code: 'ERR_MILLRACE_RECORD', project: 'a' }]
  })
  t.equal(report.failures.length, 1)
  t.strictSame(await names(), ['a-1.tar.gz', 'a-2.tar.gz'])
})

t.test('strict ends with the first failure, and nothing is visible', async t => {
  for (const [what, match, code] of [
    ['a document', '/simple/b/', 'ERR_MILLRACE_STATUS'],
    ['a file', 'b-1.tar.gz', 'ERR_MILLRACE_STATUS']
  ] as const) {
    await t.test(what, async t => {
      const { run, index, names } = await syncSetup(t)
      addProject(index, 'a', '1')
      addProject(index, 'b', '1')
      const repair = index.fault({ kind: 'status', status: 403, match })
      await t.rejects(run({ strict: true, policy: 'immediate' }), { code, statusCode: 403 })
      t.strictSame(await names(), [])
      repair()
      t.match(await run({ strict: true, policy: 'immediate' }), { version: 1, packages: { added: 2 } })
    })
  }
})

t.test('aborted midway it leaves no version, and goes on without fetching again what was saved', async t => {
  for (const policy of ['on-demand', 'immediate'] as const) {
    await t.test(policy, async t => {
      const { run, index, names, packages } = await syncSetup(t, { projects: 60, files: 4, fileBytes: 100 })
      const controller = new AbortController()
      let fetched = 0
      await t.rejects(
        run({
          policy,
          prereleases: true,
          concurrency: 2,
          downloadConcurrency: 2,
          signal: controller.signal,
          stages: stages =>
            stages.map(stage => {
              if (stage instanceof PackageSaver)
                stage.on('saved', (saved: readonly unknown[]) => {
                  fetched += saved.length
                  if (fetched >= 100) controller.abort()
                })
              return stage
            })
        }),
        { code: 'ABORT_ERR' }
      )
      t.strictSame(await names(), [], 'nothing is visible')
      t.ok(fetched >= 100)
      index.reset()
      const report = await run({ policy, prereleases: true })
      t.match(report, { version: 1, packages: { added: 240, present: 240 }, projects: { listed: 60 } })
      const settled = Math.floor(fetched / 4)
      t.ok(
        report.projects.unchanged >= settled - 3,
        `${report.projects.unchanged} of ${settled} are not fetched again`
      )
      t.equal(index.stats().byKind.project, 60 - report.projects.unchanged)
      if (policy === 'immediate') t.ok(index.stats().byKind.file <= 240 - fetched)
      t.equal((await packages()).length, 240)
    })
  }
})

t.test('aborted while the version is made, it is done', async t => {
  const { run, index, names } = await syncSetup(t)
  addProject(index, 'a', '1')
  const controller = new AbortController()
  const report = await run({
    signal: controller.signal,
    stages(list) {
      const writer = list.at(-1) as VersionWriter
      const final = writer._final.bind(writer)
      writer._final = callback => {
        final(callback)
        controller.abort()
      }
      return list
    }
  })
  t.match(report, { version: 1, packages: { added: 1, present: 1 } })
  t.strictSame(await names(), ['a-1.tar.gz'])
})

t.test('aborted before it begins, it opens nothing', async t => {
  const { run, catalog } = await syncSetup(t)
  await t.rejects(run({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  t.notOk(existsSync(catalog))
})

t.test('stages can be inserted, left out and replaced', async t => {
  await t.test('a stage that says nothing of what it leaves out', async t => {
    const { run, index, names } = await syncSetup(t)
    addProject(index, 'a', '1', '2')
    addProject(index, 'b', '1')
    const stages = (list: readonly Stage[]) =>
      list.flatMap(stage =>
        stage instanceof CatalogLookup
          ? [gate(({ version }: { version: string }) => version !== '2'), stage]
          : [stage]
      )
    t.match(await run({ stages }), { packages: { seen: 3, kept: 3, added: 2 } })
    t.strictSame(await names(), ['a-1.tar.gz', 'b-1.tar.gz'])
    index.reset()
    t.match(await run({ stages }), { changed: false, projects: { unchanged: 2 } })
    t.equal(index.stats().requests, 1)
  })

  await t.test('after files were downloaded', async t => {
    const { run, index } = await syncSetup(t)
    addProject(index, 'a', '1', '2')
    const stages = (list: readonly Stage[]) =>
      list.flatMap(stage => (stage instanceof PackageSaver ? [gate(() => false), stage] : [stage]))
    t.match(await run({ stages, policy: 'immediate' }), {
      packages: { kept: 2, added: 0 },
      files: { downloaded: 2, reused: 0 }
    })
  })

  await t.test('left out', async t => {
    const { run, index } = await syncSetup(t)
    addProject(index, 'a', '1', '2rc1')
    const stages = (list: readonly Stage[]) => list.filter(stage => !(stage instanceof PackageFilter))
    t.match(await run({ stages }), { packages: { seen: 2, kept: 2, added: 2 } })
  })

  await t.test('replaced, and the report still follows', async t => {
    const { run, index } = await syncSetup(t)
    addProject(index, 'a', '1')
    addProject(index, 'b', '1')
    index.fault({ kind: 'html', match: '/simple/b/' })
    let running: unknown
    const report = await run({
      stages(list, report) {
        running = report
        return list.map(stage =>
          stage instanceof MetadataParser ? new MetadataParser({ highWaterMark: 1 }) : stage
        )
      }
    })
    t.equal(report, running)
    t.match(report, {
      projects: { listed: 2, fetched: 1, failed: 1 },
      packages: { seen: 1, added: 1 },
      failures: [{ code: 'ERR_MILLRACE_DOCUMENT', project: 'b' }]
    })
  })

  await t.test('a list that cannot be made ends the run', async t => {
    const { run } = await syncSetup(t)
    await t.rejects(
      run({
        stages() {
          throw new Error('no stages')
        }
      }),
      { message: 'no stages' }
    )
    t.match(await run(), { version: 0, changed: false })
  })
})

t.test('a catalog and a store of the caller are used, and left open', async t => {
  const { run, index, catalog: file, store: folder } = await syncSetup(t)
  addProject(index, 'a', '1')
  const catalog = await Catalog.open(onPostgres ? file : `${file}-mine`)
  t.teardown(() => catalog.close())
  const store = new DirectoryStore(`${folder}-mine`)
  t.match(await run({ catalog, store, policy: 'immediate', repository: 'mine' }), {
    repository: 'mine',
    version: 1
  })
  t.strictSame(await catalog.repositories(), ['mine'])
  let files = 0
  for await (const _ of store.list()) files++
  t.equal(files, 1)
  t.equal(existsSync(file), false)
})

t.test('bad options are told before anything is opened', async t => {
  const { run, catalog, store, index } = await syncSetup(t)
  const bad: readonly [SyncOptions, object][] = [
    [{ indexUrl: 'ftp://x/' }, { option: 'indexUrl' }],
    [{ source: 'xml' as 'json' }, { option: 'source' }],
    [{ policy: 'later' as 'immediate' }, { option: 'policy' }],
    [{ repository: '' }, { option: 'repository' }],
    [{ store: '' }, { option: 'store' }],
    [{ concurrency: 0 }, { option: 'concurrency' }],
    [{ downloadConcurrency: 1.5 }, { option: 'downloadConcurrency' }],
    [{ maxRetries: -1 }, { option: 'maxRetries' }],
    [{ maxRemovals: 1.1 }, { option: 'maxRemovals' }],
    [{ keepLatest: -1 }, { option: 'keepLatest' }],
    [{ uploadedBefore: 'soon' }, { option: 'uploadedBefore' }],
    [{ headersTimeout: -1 }, { option: 'headersTimeout' }]
  ]
  for (const [options, fields] of bad) {
    await t.rejects(run(options), { code: 'ERR_MILLRACE_OPTION', ...fields }, JSON.stringify(options))
  }
  await t.rejects(run({ includes: ['a b c'] }), { code: 'ERR_MILLRACE_REQUIREMENT' })
  await t.rejects(sync({ catalog: '', indexUrl: index.indexUrl }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'catalog'
  })
  t.notOk(existsSync(catalog))
  t.notOk(existsSync(store))
  t.equal(index.stats().requests, 0)
})

t.test('what is undefined has its default', async t => {
  const { run, index } = await syncSetup(t, { projects: 2 })
  const nothing = Object.fromEntries(
    [
      'source',
      'policy',
      'mirror',
      'concurrency',
      'downloadConcurrency',
      'strict',
      'signal',
      'stages',
      'maxRetries',
      'maxRemovals',
      'repository',
      'origins',
      'allowPrivate',
      'includes'
    ].map(name => [name, undefined])
  )
  t.match(await run(nothing), { repository: 'pypi', version: 1, projects: { fetched: 2 } })
  t.equal(index.stats().byKind.file, 0)
})

t.test('of two syncs at once the second is told', async t => {
  const { run, index } = await syncSetup(t, { projects: 3, latencyMs: 20 })
  const other: Promise<unknown>[] = []
  const report = await run({
    stages(list) {
      const told = t.rejects(run(), { code: 'ERR_MILLRACE_BUSY', repository: 'pypi' })
      other.push(told, t.resolves(run({ repository: 'other' })))
      return list.toSpliced(1, 0, endsAfter(told))
    }
  })
  t.equal(report.version, 1)
  await Promise.all(other)
  t.equal(index.stats().byKind.project, 6)
})

t.test('an index that speaks HTML only, and the legacy document, give the same packages', async t => {
  const { run, packages, index } = await syncSetup(t, { projects: 3, files: 6, fileBytes: 64 })
  await run({ prereleases: true })
  const plain = (all: Awaited<ReturnType<typeof packages>>) => all.map(({ added, ...pkg }) => pkg)
  const expected = plain(await packages())
  t.equal(expected.length, 18)

  await t.test('source: json', async t => {
    const { run, packages } = await syncSetup(t, { projects: 3, files: 6, fileBytes: 64 })
    t.match(await run({ source: 'json', prereleases: true }), { projects: { fetched: 3 } })
    // What that document does not have, and where its own server put the files.
    const common = (all: typeof expected) =>
      all.map(({ url, coreMetadata, provenance, ...pkg }) => ({ ...pkg, url: new URL(url).pathname }))
    t.strictSame(common(plain(await packages())), common(expected))
  })

  await t.test('HTML', async t => {
    const { run, packages } = await syncSetup(t, { projects: 3, files: 6, fileBytes: 64, formats: ['html'] })
    t.match(await run({ prereleases: true }), { projects: { listed: 3, fetched: 3 } })
    const common = (all: typeof expected) =>
      all.map(({ url, size, uploadTime, ...pkg }) => ({ ...pkg, url: new URL(url).pathname }))
    t.strictSame(common(plain(await packages())), common(expected))
  })
  t.equal(index.stats().byKind.legacy, 0)
})

t.test('a listing that cannot be had rejects, and nothing changes', async t => {
  const { run, index, names } = await syncSetup(t)
  addProject(index, 'a', '1')
  await run({ mirror: true })
  addProject(index, 'b', '1')
  index.index.remove('a')
  for (const [fault, error] of [
    [
      { kind: 'status', status: 503 },
      { code: 'ERR_MILLRACE_STATUS', statusCode: 503, attempts: 3 }
    ],
    [
      { kind: 'status', status: 404 },
      { code: 'ERR_MILLRACE_STATUS', statusCode: 404, attempts: 1 }
    ],
    [{ kind: 'reset' }, { code: 'ERR_MILLRACE_NETWORK', attempts: 3 }],
    [{ kind: 'truncated' }, { code: 'ERR_MILLRACE_NETWORK' }],
    [{ kind: 'html' }, { code: 'ERR_MILLRACE_DOCUMENT' }]
  ] as const) {
    const repair = index.fault({ ...fault, match: /^\/simple\/$/ })
    await t.rejects(run({ mirror: true, maxRetries: 2 }), error, JSON.stringify(fault))
    repair()
    t.strictSame(await names(), ['a-1.tar.gz'])
  }
  await index.down()
  await t.rejects(run({ mirror: true, maxRetries: 1 }), { code: 'ERR_MILLRACE_NETWORK', attempts: 2 })
  t.strictSame(await names(), ['a-1.tar.gz'])
  await index.up()
  t.match(await run({ mirror: true }), { version: 2, packages: { added: 1, removed: 1 } })
})

t.test('a listing that is suspiciously short removes nothing', async t => {
  const { run, index, names } = await syncSetup(t)
  for (let n = 0; n < 20; n++) addProject(index, `p${n}`, '1', '2')
  await run({ mirror: true })
  const everything = await names()
  for (let n = 0; n < 6; n++) index.index.remove(`p${n}`)
  addProject(index, 'new', '1')

  await t.rejects(run({ mirror: true, strict: true }), {
    code: 'ERR_MILLRACE_REMOVALS',
    repository: 'pypi',
    packages: 12,
    projects: 6,
    maxRemovals: 0.1
  })
  t.strictSame(await names(), everything)

  const report = await run({ mirror: true })
  t.match(report, { version: 2, packages: { added: 1, removed: 0, present: 41 } })
  t.match(report.failures, [{ code: 'ERR_MILLRACE_REMOVALS', attempts: 0 }])
  t.match(await run({ mirror: true, maxRemovals: 0.2 }), { failures: [{}] }, 'each run says so again')
  t.match(await run({ mirror: true, maxRemovals: 1 }), {
    version: 3,
    packages: { removed: 12 },
    failures: { length: 0 }
  })
})

t.test('a project whose documents are gone is not removed by the many, and asked for again', async t => {
  const { run, index, names } = await syncSetup(t)
  const includes = ['a', 'b', 'c']
  for (const name of includes) addProject(index, name, '1')
  await run({ includes, mirror: true })
  const repair = index.fault({ kind: 'status', status: 404 })
  t.match(await run({ includes, mirror: true }), {
    changed: false,
    projects: { missing: 3 },
    failures: [{ code: 'ERR_MILLRACE_REMOVALS' }]
  })
  t.strictSame(await names(), ['a-1.tar.gz', 'b-1.tar.gz', 'c-1.tar.gz'])
  repair()
  t.match(await run({ includes, mirror: true }), {
    changed: false,
    projects: { fetched: 3 },
    failures: { length: 0 }
  })
})

t.test('projects that are suddenly empty are removed when that is allowed', async t => {
  const { run, index, names } = await syncSetup(t)
  const projects = Array.from({ length: 8 }, (_, n) => `p${n}`)
  for (const name of projects) addProject(index, name, '1')
  await run({ mirror: true })
  for (const name of projects.slice(1)) index.index.remove(name, `${name}-1.tar.gz`)
  t.match(await run({ mirror: true }), { changed: false, failures: [{ code: 'ERR_MILLRACE_REMOVALS' }] })
  index.reset()
  t.match(await run({ mirror: true, maxRemovals: 1 }), { packages: { removed: 7 }, failures: { length: 0 } })
  t.strictSame(await names(), ['p0-1.tar.gz'])
  t.equal(index.stats().byKind.project, 7, 'all of them were due again, and no other')
})

t.test('documents and files share the limits for an origin', async t => {
  const { run, index } = await syncSetup(t, { projects: 4, latencyMs: 5 })
  for (const [origins, repository] of [
    [{ concurrencyPerOrigin: 2 }, 'one'],
    [new Origins({ concurrencyPerOrigin: 2 }), 'other']
  ] as const) {
    index.reset()
    await run({ policy: 'immediate', origins, repository })
    t.equal(index.stats().peakInFlight, 2)
  }
})

t.test('the files of a killed run go', async t => {
  const { run, index, store } = await syncSetup(t)
  addProject(index, 'a', '1')
  await run({ policy: 'immediate' })
  t.strictSame(readdirSync(join(store, 'tmp')), [])
})

t.test('an error of a custom downloader stage is its own', async t => {
  const { run, index } = await syncSetup(t)
  addProject(index, 'a', '1')
  let downloaders = 0
  await run({
    policy: 'immediate',
    stages(list) {
      downloaders = list.filter(stage => stage instanceof Downloader).length
      return list
    }
  })
  t.equal(downloaders, 2)
})

t.test('a name in the listing that is none is a failure, and loses no other project', async t => {
  const { run, index, names } = await syncSetup(t)
  addProject(index, 'a', '1')
  const projects = [{ name: '../../etc' }, { name: 'a' }]
  const body = JSON.stringify({ meta: { 'api-version': '1.1' }, projects })
  index.route('/simple/', { body, headers: { 'content-type': 'application/vnd.pypi.simple.v1+json' } })
  t.match(await run({ fullCheck: 'never' }), {
    projects: { listed: 1, fetched: 1, failed: 0 },
    failures: [{ code: 'ERR_MILLRACE_RECORD', project: '../../etc', attempts: 0 }]
  })
  t.strictSame(await names(), ['a-1.tar.gz'])
  await t.rejects(run({ strict: true }), { code: 'ERR_MILLRACE_RECORD' })
})

t.test('only so many versions are kept, and the files that they need', async t => {
  const { run, index, rows, stored } = await syncSetup(t)
  addProject(index, 'a', '1')
  await run({ policy: 'immediate', mirror: true })
  index.index.upload('a', { filename: 'a-1.tar.gz', content: 'other' })
  t.match(await run({ policy: 'immediate', mirror: true, keepVersions: 1 }), { version: 2 })
  t.strictSame(await rows('SELECT number FROM versions'), [{ number: 2 }])
  t.equal((await stored()).size, 1)
})

t.test('a dry run says what would come in, and changes nothing', async t => {
  const { run, index, names, catalog } = await syncSetup(t)
  addProject(index, 'a', '1.0', '2.0', '3.0rc1')
  addProject(index, 'b', '1.0')
  const first = await run({ dryRun: true })
  t.match(first, {
    ...{ version: 0, changed: false, packages: { seen: 4, kept: 3, added: 3, present: 0 } },
    plan: { projects: [{ packages: 2, bytes: 24 }, { packages: 1 }], dropped: { prereleases: 1 } }
  })
  t.notOk(existsSync(catalog))
  await run({ includes: ['nowhere'] })
  t.match(await run({ dryRun: true }), { version: 0, packages: { added: 3 } })

  await run()
  index.index.release('b')
  t.match(await run({ dryRun: true, repository: 'other' }), { packages: { added: 5 } })
  t.match(await run({ dryRun: true }), {
    ...{ version: 1, packages: { seen: 6, added: 2 } },
    plan: { projects: [{ project: 'b', packages: 2 }] }
  })
  const opened = await Catalog.open(catalog)
  t.match(await run({ dryRun: true, catalog: opened }), { version: 1, packages: { added: 2 } })
  t.strictSame(await opened.repositories(), ['pypi'])
  await opened.close()
  t.equal((await names()).length, 3)
  t.equal(index.stats().byKind.file, 0)
  await t.rejects(run({ dryRun: true, indexUrl: 'http://nowhere.invalid/', maxRetries: 0 }), {
    code: 'ERR_MILLRACE_NETWORK'
  })
})
