/**
 * Random histories of an index against a model in memory: after each run the current version is what the model
 * says, and in the end every older version reads as it did.
 */
import t from 'tap'
import type { Catalog } from '../../../lib/catalog/catalog.js'
import type { Package } from '../../../lib/pypi/package.js'
import { openCatalog, project, readAll, sdist } from '../../helpers/catalog.js'
import { type Random, random } from '../../helpers/random.js'

/** Projects by name, their packages by file name. */
type State = Map<string, Map<string, Package>>

const PROJECTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

function copy(state: State): State {
  return new Map(Array.from(state, ([name, packages]) => [name, new Map(packages)]))
}

/** What upstream has next: files come, go, are yanked or replaced; projects come and go. */
function nextUpstream(state: State, { below, pick }: Random): State {
  const next = copy(state)
  for (let changes = below(6); changes > 0; changes--) {
    const name = pick(PROJECTS)
    const packages = next.get(name) ?? new Map<string, Package>()
    next.set(name, packages)
    const pkg = sdist(name, `${below(5)}`)
    const held = packages.get(pkg.filename) ?? pkg
    switch (below(7)) {
      case 0:
        next.delete(name)
        break
      case 1:
        packages.delete(pkg.filename)
        break
      case 2:
        packages.set(pkg.filename, { ...held, yanked: pick([false, '', 'broken']) })
        break
      case 3:
        packages.set(pkg.filename, {
          ...held,
          digests: pick([{}, { md5: 'm' }, { sha256: 'ff'.repeat(32) }])
        })
        break
      default:
        packages.set(pkg.filename, pick([pkg, { ...pkg, requiresPython: '>=3.9' }]))
    }
  }
  return next
}

function flat(state: State): Record<string, Package> {
  const packages = [...state.values()].flatMap(project => [...project.values()])
  return Object.fromEntries(packages.map(pkg => [`${pkg.project} ${pkg.filename}`, pkg]))
}

async function flatCatalog(catalog: Catalog, version: number): Promise<Record<string, Package>> {
  const packages = await readAll(catalog, 'x', { version })
  return Object.fromEntries(
    packages.map(({ file, added, ...pkg }) => [`${pkg.project} ${pkg.filename}`, pkg])
  )
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  t.test(`history ${seed}`, async t => {
    const source = random(seed)
    const { below, pick } = source
    const catalog = await openCatalog(t)
    let upstream: State = new Map()
    let mirrored: State = new Map()
    // What unfinished runs with the options `pendingKey` left, which the next run with them goes on from.
    let pending: State = new Map()
    let pendingKey = ''
    const versions: Record<string, Package>[] = [{}]

    for (let step = 0; step < 25; step++) {
      upstream = nextUpstream(upstream, source)
      const mirror = below(4) > 0
      const optionsKey = pick(['k', 'k', 'k', 'l'])
      const dies = below(4) === 0
      const run = await catalog.beginRun({ repository: 'x', mirror, optionsKey })
      if (pendingKey !== `${mirror} ${optionsKey}`) pending = new Map()
      pendingKey = `${mirror} ${optionsKey}`
      const expected = copy(mirrored)
      for (const [name, drafts] of pending) {
        expected.set(name, new Map([...(expected.get(name) ?? []), ...drafts]))
      }
      const names = [...upstream.keys()]
      // Without serials, so what an unfinished run settled would not be asked for again: every project is.
      await run.lookupProjects(names.map(name => project(name, { serial: step + 1 })))
      const failing = new Set(names.filter(() => below(5) === 0))
      for (const name of names) {
        const packages = [...(upstream.get(name) as Map<string, Package>).values()]
        const had = failing.has(name) ? packages.slice(0, below(packages.length + 1)) : packages
        if (dies && below(names.length) === 0) break
        if (had.length > 0) await run.savePackages(pick([had, await run.lookupPackages(had)]))
        if (failing.has(name)) {
          await run.writeStates([{ project: name, outcome: 'failed' }])
        } else {
          await run.writeStates([{ project: name, outcome: 'fetched', serial: step + 1 }])
        }
        const drafts = had.map(pkg => [pkg.filename, pkg] as const)
        if (failing.has(name)) {
          expected.set(name, new Map([...(expected.get(name) ?? []), ...drafts]))
          const settled = pending.get(name)
          if (settled !== undefined) pending.set(name, new Map([...settled, ...drafts]))
        } else {
          expected.set(name, new Map([...(mirror ? [] : (mirrored.get(name) ?? [])), ...drafts]))
          pending.set(name, new Map(drafts))
        }
      }
      if (dies) {
        await run.abandon()
        continue
      }
      if (mirror) for (const name of expected.keys()) if (!upstream.has(name)) expected.delete(name)
      const result = await run.commit({ completeListing: true })
      await run.finish('done')

      pending = new Map()
      const before = flat(mirrored)
      mirrored = expected
      const now = flat(mirrored)
      const differ = (one: Record<string, Package>, other: Record<string, Package>) =>
        Object.keys(one).filter(key => JSON.stringify(one[key]) !== JSON.stringify(other[key])).length
      t.match(result, {
        added: differ(now, before),
        removed: differ(before, now),
        present: Object.keys(now).length,
        changed: differ(now, before) + differ(before, now) > 0
      })
      if (result.changed) versions.push(now)
      t.equal(result.version, versions.length - 1)
      t.strictSame(await flatCatalog(catalog, result.version), now, `after step ${step}`)
    }
    t.ok(versions.length > 10, `${versions.length} versions`)
    for (const [number, packages] of versions.entries()) {
      t.strictSame(await flatCatalog(catalog, number), packages, `version ${number} at the end`)
    }
  })
}
