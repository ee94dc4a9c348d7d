import t, { type Test } from 'tap'
import type { Catalog } from '../../../lib/catalog/catalog.js'
import type { ProjectState } from '../../../lib/catalog/projects.js'
import type { Run } from '../../../lib/catalog/run.js'
import type { Committed } from '../../../lib/catalog/versions.js'
import type { Package } from '../../../lib/pypi/package.js'
import { openCatalog, project, readAll, readNames, saveProjects, sdist } from '../../helpers/catalog.js'

const a1 = sdist('a', '1')
const a2 = sdist('a', '2')
const b1 = sdist('b', '1')
const c1 = sdist('c', '1')

interface Round {
  readonly mirror?: boolean
  readonly completeListing?: boolean
  readonly optionsKey?: string
  readonly maxRemovals?: number
  readonly strict?: boolean
}

/** One run, from its beginning to its commit. */
async function sync(
  catalog: Catalog,
  work: (run: Run) => Promise<void>,
  options: Round = {}
): Promise<Committed> {
  const { completeListing, maxRemovals, strict, ...begin } = options
  const run = await catalog.beginRun({ repository: 'x', mirror: true, ...begin })
  await work(run)
  try {
    return await run.commit({ completeListing, maxRemovals, strict })
  } finally {
    await run.finish('done')
  }
}

/** A catalog whose repository `x` has a1, a2 and b1 in its version 1. */
async function withVersion(t: Test, options: Round = {}): Promise<Catalog> {
  const catalog = await openCatalog(t)
  await sync(catalog, run => saveProjects(run, [a1, a2, b1]), options)
  return catalog
}

function failed(name: string): ProjectState {
  return { project: name, outcome: 'failed' }
}

t.test('nothing changed, no version', async t => {
  const catalog = await openCatalog(t)
  t.strictSame(await sync(catalog, async () => {}), {
    version: 0,
    changed: false,
    added: 0,
    removed: 0,
    present: 0
  })
  await sync(catalog, run => saveProjects(run, [a1, a2, b1]))
  t.strictSame(await sync(catalog, run => saveProjects(run, [a1, a2, b1])), {
    version: 1,
    changed: false,
    added: 0,
    removed: 0,
    present: 3
  })
  t.equal((await catalog.versions('x')).length, 1)
})

t.test('what upstream no longer has goes from a mirror, and stays elsewhere', async t => {
  for (const mirror of [true, false]) {
    const catalog = await t.test(String(mirror), async t => {
      const catalog = await withVersion(t, { mirror })
      const result = await sync(catalog, run => saveProjects(run, [a2]), { mirror })
      if (mirror) {
        t.match(result, { version: 2, changed: true, added: 0, removed: 1, present: 2 })
        t.strictSame(await readNames(catalog, 'x'), ['a-2.tar.gz', 'b-1.tar.gz'], 'b was not looked at')
        t.strictSame(await readNames(catalog, 'x', 1), ['a-1.tar.gz', 'a-2.tar.gz', 'b-1.tar.gz'])
      } else {
        t.match(result, { version: 1, changed: false, present: 3 })
      }
    })
    t.not(catalog, null)
  }
})

t.test('a change of metadata is a new state, and older versions read as they were', async t => {
  const catalog = await withVersion(t)
  const yanked = { ...a1, yanked: 'broken' }
  t.match(await sync(catalog, run => saveProjects(run, [yanked, a2])), {
    version: 2,
    added: 1,
    removed: 1,
    present: 3
  })
  t.match(await sync(catalog, run => saveProjects(run, [a1, a2])), {
    version: 3,
    added: 1,
    removed: 1,
    present: 3
  })
  const states: (string | false | undefined)[] = []
  for (const version of [1, 2, 3]) {
    states.push(
      (await readAll(catalog, 'x', { version, project: 'a' })).find(pkg => pkg.filename === a1.filename)
        ?.yanked
    )
  }
  t.strictSame(states, [false, 'broken', false])
})

t.test('another URL alone is no change', async t => {
  const catalog = await withVersion(t)
  const moved = { ...a1, url: 'https://elsewhere.example/a-1.tar.gz' }
  t.match(await sync(catalog, run => saveProjects(run, [moved, a2])), { version: 1, changed: false })
  t.equal((await readAll(catalog, 'x', { version: 1 }))[0]?.url, moved.url)
})

t.test('a new digest under an old name', async t => {
  const catalog = await withVersion(t)
  await sync(catalog, run => saveProjects(run, [{ ...a1, digests: { sha256: 'ff'.repeat(32) } }, a2]))
  t.equal((await readAll(catalog, 'x', { version: 1 }))[0]?.digests.sha256, a1.digests.sha256)
  t.equal((await readAll(catalog, 'x', { version: 2 }))[0]?.digests.sha256, 'ff'.repeat(32))
})

t.test('packages without a sha256 are themselves', async t => {
  const catalog = await openCatalog(t)
  const bare = [
    sdist('a', '1', { digests: {} }),
    sdist('a', '2', { digests: {} }),
    sdist('b', '1', { digests: { md5: 'm' } })
  ]
  await sync(catalog, run => saveProjects(run, bare))
  t.match(await sync(catalog, run => saveProjects(run, bare)), { version: 1, changed: false, present: 3 })
  t.match(await sync(catalog, run => saveProjects(run, [bare[0] as Package])), { version: 2, removed: 1 })
  t.strictSame(await readNames(catalog, 'x'), ['a-1.tar.gz', 'b-1.tar.gz'])
})

t.test('a project that failed loses nothing', async t => {
  const catalog = await withVersion(t)
  const result = await sync(
    catalog,
    async run => {
      await run.lookupProjects([project('a'), project('b')])
      // One of two packages was had before the failure.
      await run.savePackages([{ ...a1, yanked: 'x' }])
      await run.writeStates([failed('a'), failed('b')])
    },
    { completeListing: true }
  )
  t.match(result, { version: 2, added: 1, removed: 1, present: 3 })
  t.strictSame(await readNames(catalog, 'x'), ['a-1.tar.gz', 'a-2.tar.gz', 'b-1.tar.gz'])
})

t.test('nor does one that is not listed, and failed', async t => {
  const catalog = await withVersion(t)
  const result = await sync(
    catalog,
    async run => {
      await run.lookupProjects([project('a')])
      await run.writeStates([failed('b')])
    },
    { completeListing: true }
  )
  t.match(result, { version: 1, changed: false, present: 3 })
})

t.test('a project that failed in a run that was settled in the one before', async t => {
  const catalog = await withVersion(t)
  const dead = await catalog.beginRun({ repository: 'x', mirror: true })
  await saveProjects(dead, [a1])
  await dead.abandon()
  t.match(await sync(catalog, run => run.writeStates([failed('a')])), {
    version: 1,
    changed: false,
    present: 3
  })
})

t.test('a project some of whose records could not be used loses nothing', async t => {
  const catalog = await withVersion(t)
  const result = await sync(catalog, async run => {
    await run.savePackages([a2])
    await run.writeStates([{ project: 'a', outcome: 'partial' }])
  })
  t.match(result, { version: 1, changed: false, present: 3 })
})

t.test('a project that upstream does not have is one without packages', async t => {
  const catalog = await withVersion(t)
  t.match(await sync(catalog, run => saveProjects(run, [], ['a'])), { version: 2, removed: 2, present: 1 })
})

t.test('a project that a complete listing does not name', async t => {
  const catalog = await withVersion(t)
  const list = async (run: Run) => void (await run.lookupProjects([project('b')]))
  t.match(await sync(catalog, list), { version: 1, changed: false }, 'the listing was not complete')
  t.match(await sync(catalog, list, { completeListing: true, mirror: false }), { version: 1, changed: false })
  t.match(await sync(catalog, list, { completeListing: true }), { version: 2, removed: 2, present: 1 })
  t.strictSame(await readNames(catalog, 'x'), ['b-1.tar.gz'])
  t.match(await sync(catalog, list, { completeListing: true }), { version: 2, changed: false })
})

t.test('a project that is gone and back again is due', async t => {
  const catalog = await openCatalog(t)
  const settle = async (run: Run) => {
    await run.lookupProjects([project('a', { serial: 1 })])
    await run.savePackages([a1])
    await run.writeStates([{ project: 'a', outcome: 'fetched', serial: 1, etag: '"e"' }])
  }
  await sync(catalog, settle)
  await sync(catalog, async run => void (await run.lookupProjects([project('b')])), { completeListing: true })
  t.strictSame(await readNames(catalog, 'x'), [])
  const result = await sync(catalog, async run => {
    t.strictSame(await run.lookupProjects([project('a', { serial: 1 })]), [project('a', { serial: 1 })])
    await settle(run)
  })
  t.match(result, { version: 3, added: 1, present: 1 })
  t.strictSame(await readNames(catalog, 'x', 1), ['a-1.tar.gz'])
  t.strictSame(await readNames(catalog, 'x', 2), [])
})

t.test('more projects gone than maxRemovals lets go', async t => {
  const names = Array.from({ length: 20 }, (_, n) => `p${n}`)
  const all = names.map(name => sdist(name, '1'))
  const listing = (left: number) => async (run: Run) => {
    await run.lookupProjects(names.slice(0, left).map(name => project(name, { serial: 1 })))
  }
  const emptied = (left: number) => async (run: Run) => {
    await saveProjects(run, all.slice(0, left), names)
  }
  const make = async (t: Test) => {
    const catalog = await openCatalog(t)
    await sync(catalog, run => saveProjects(run, all))
    return catalog
  }
  for (const gone of [listing, emptied]) {
    await t.test(gone === listing ? 'from the listing' : 'one by one', async t => {
      const catalog = await make(t)
      const options = { completeListing: gone === listing, maxRemovals: 0.4 }
      const kept = {
        code: 'ERR_MILLRACE_REMOVALS',
        repository: 'x',
        packages: 9,
        projects: 9,
        maxRemovals: 0.4
      }
      t.match(await sync(catalog, gone(11), options), {
        version: 1,
        changed: false,
        removed: 0,
        present: 20,
        kept
      })
      t.match(await catalog.packages('x').next(), { value: all[0] })
      await t.rejects(sync(catalog, gone(11), { ...options, strict: true }), kept)
      t.match(await sync(catalog, gone(12), options), {
        version: 2,
        removed: 8,
        present: 12,
        kept: undefined
      })
    })
  }
  await t.test('few may always go, but not all', async t => {
    const catalog = await make(t)
    const options = { completeListing: true, maxRemovals: 0 }
    for (const left of [15, 10, 5]) t.match(await sync(catalog, listing(left), options), { present: left })
    t.match(await sync(catalog, listing(0), options), { present: 5, kept: { projects: 5 } })
    await sync(catalog, listing(1), options)
    t.match(await sync(catalog, listing(0), options), { present: 0, kept: undefined }, 'the only one')
  })
  await t.test('what was kept is asked for again', async t => {
    const catalog = await make(t)
    const settle = async (run: Run) => {
      await run.writeStates(names.map(name => ({ project: name, outcome: 'fetched', serial: 1 }) as const))
    }
    t.match(await sync(catalog, settle, { maxRemovals: 0.4 }), { kept: { projects: 20 } })
    const asked = names.map(name => project(name, { serial: 1 }))
    t.strictSame(
      await (await catalog.beginRun({ repository: 'x', mirror: true })).lookupProjects(asked),
      asked
    )
  })
  await t.test('files that go while their project stays are not counted', async t => {
    const catalog = await openCatalog(t)
    const both = names.flatMap(name => [sdist(name, '1'), sdist(name, '2')])
    await sync(catalog, run => saveProjects(run, both))
    t.match(await sync(catalog, run => saveProjects(run, all), { maxRemovals: 0 }), {
      removed: 20,
      kept: undefined
    })
  })
})

t.test('removals that an unfinished run saw are made by the next', async t => {
  const catalog = await withVersion(t)
  const dead = await catalog.beginRun({ repository: 'x', mirror: true })
  await saveProjects(dead, [a2])
  await dead.abandon()
  t.match(await sync(catalog, async run => void (await run.lookupProjects([project('a')]))), {
    version: 2,
    removed: 1
  })
  t.strictSame(await readNames(catalog, 'x'), ['a-2.tar.gz', 'b-1.tar.gz'])
})

t.test('a draft that upstream took back before it was committed', async t => {
  const catalog = await withVersion(t)
  const dead = await catalog.beginRun({ repository: 'x', mirror: true })
  await saveProjects(dead, [a1, a2, sdist('a', '3'), c1])
  await dead.abandon()
  const result = await sync(
    catalog,
    async run => {
      await run.lookupProjects([project('a', { serial: 2 }), project('b'), project('d')])
      await saveProjects(run, [{ ...a1, yanked: '' }, a2])
    },
    { completeListing: true }
  )
  t.match(result, { version: 2, added: 1, removed: 1, present: 3 })
  t.strictSame(await readNames(catalog, 'x'), ['a-1.tar.gz', 'a-2.tar.gz', 'b-1.tar.gz'])
})

t.test('a draft that upstream changed back before it was committed', async t => {
  const catalog = await withVersion(t)
  const dead = await catalog.beginRun({ repository: 'x', mirror: true })
  await saveProjects(dead, [{ ...a1, yanked: 'oops' }, a2])
  await dead.abandon()
  t.match(await sync(catalog, run => saveProjects(run, [a1, a2])), { version: 1, changed: false, present: 3 })
  t.equal((await readAll(catalog, 'x'))[0]?.yanked, false)
})

t.test('a draft seen again stays', async t => {
  for (const mirror of [true, false]) {
    await t.test(String(mirror), async t => {
      const catalog = await withVersion(t, { mirror })
      const dead = await catalog.beginRun({ repository: 'x', mirror })
      await saveProjects(dead, [a1, a2, sdist('a', '3')])
      await dead.abandon()
      const result = await sync(catalog, run => saveProjects(run, [a1, a2, sdist('a', '3')]), { mirror })
      t.match(result, { version: 2, added: 1, removed: 0, present: 4 })
    })
  }
})

t.test('two files of one name count once, the later one', async t => {
  const catalog = await openCatalog(t)
  const twice = [a1, { ...a1, yanked: 'second' }]
  t.match(await sync(catalog, run => saveProjects(run, twice)), { version: 1, added: 1, present: 1 })
  t.equal((await readAll(catalog, 'x'))[0]?.yanked, 'second')
  await sync(catalog, async run => {
    for (const pkg of twice) await saveProjects(run, [pkg])
  })
  t.equal((await readAll(catalog, 'x'))[0]?.yanked, 'second')
})

t.test('a draft is seen by nobody', async t => {
  const catalog = await withVersion(t)
  const run = await catalog.beginRun({ repository: 'x' })
  await saveProjects(run, [{ ...a1, yanked: 'x' }, c1])
  t.strictSame(await readNames(catalog, 'x'), ['a-1.tar.gz', 'a-2.tar.gz', 'b-1.tar.gz'])
  t.equal((await readAll(catalog, 'x'))[0]?.yanked, false)
})

t.test('more projects than a page of the listing', async t => {
  const catalog = await openCatalog(t)
  const names = Array.from({ length: 10_010 }, (_, n) => `p${n}`)
  await sync(catalog, async run => {
    await run.lookupProjects(names.map(name => project(name)))
    await run.savePackages(names.slice(-20).map(name => sdist(name, '1')))
  })
  const result = await sync(
    catalog,
    async run => {
      await run.lookupProjects(names.slice(0, -10).map(name => project(name)))
    },
    { completeListing: true }
  )
  t.match(result, { version: 2, removed: 10, present: 10 })
})
