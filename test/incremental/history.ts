/**
 * Random histories of an index against a model, through the real sync: after each step the newest version is what the
 * model says, an older one still reads as it did, and a check of the store finds nothing. `MILLRACE_HISTORIES` says how
 * many; `MILLRACE_SEED` which is the first.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startIndexServer } from '../../benchmarks/index-server/server.js'
import { normalizeName } from '../../lib/pypi/name.js'
import type { SyncOptions } from '../../streams/sync.js'
import { verify } from '../../streams/verify.js'
import { type Random, random } from '../helpers/random.js'
import { syncInto } from '../helpers/sync.js'

const HISTORIES = Number(process.env.MILLRACE_HISTORIES ?? 8)
const SEED = Number(process.env.MILLRACE_SEED ?? 1)
const STEPS = 8

interface File {
  readonly content: string
  readonly yanked: false | string
  readonly requiresPython: string | undefined
}

interface Project {
  readonly name: string
  readonly files: ReadonlyMap<string, File>
}

/** Projects by normalised name. */
type State = Map<string, Project>

const NAMES = ['a', 'b', 'Some.Name', 'some_name', 'c-1', 'C_1', 'd', 'e', 'f']

/** What upstream does next, told to the index and to the model of it. */
function change(
  index: Awaited<ReturnType<typeof startIndexServer>>['index'],
  state: State,
  source: Random
): void {
  const { below, pick } = source
  const name = pick(NAMES)
  const key = normalizeName(name)
  const project = state.get(key)
  const filename = `${key.replaceAll('-', '_')}-${below(5)}.tar.gz`
  if (project === undefined) {
    index.add({ name })
    state.set(key, { name, files: new Map() })
    return
  }
  const set = (files: Map<string, File>) => state.set(key, { ...project, files })
  const old = project.files.get(filename)
  if (old === undefined || below(5) === 0) {
    const yanked = pick<false | string>([false, false, 'bad'])
    const file: File = { content: `${filename} ${below(3)}`, yanked, requiresPython: undefined }
    index.upload(key, { filename, ...file })
    set(new Map([...project.files, [filename, file]]))
    return
  }
  switch (below(6)) {
    case 0: {
      index.remove(key)
      state.delete(key)
      return
    }
    case 1: {
      index.remove(key, filename)
      set(new Map([...project.files].filter(([other]) => other !== filename)))
      return
    }
    case 2: {
      const other = pick(NAMES)
      const moved = normalizeName(other)
      if (moved !== key && state.has(moved)) return
      index.rename(key, other)
      state.delete(key)
      state.set(moved, { ...project, name: other })
      return
    }
    case 3: {
      index.touch(key)
      return
    }
    default: {
      const changes = pick([
        { yanked: '' },
        { yanked: 'broken' },
        { yanked: false },
        { requiresPython: '>=3.9' }
      ] as const)
      index.describe(key, filename, changes)
      set(new Map([...project.files, [filename, { ...old, ...changes }]]))
    }
  }
}

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')

/** A version as the catalog would read. */
function flat(state: State): string[] {
  return [...state]
    .flatMap(([project, { files }]) =>
      Array.from(files, ([filename, { content, yanked, requiresPython = '' }]) =>
        [project, filename, sha256(content), yanked, requiresPython].join(' ')
      )
    )
    .sort()
}

async function follow(t: Test, seed: number): Promise<void> {
  const source = random(seed)
  const { below, pick } = source
  const server = await startIndexServer({
    projects: 0,
    formats: [pick(['json', 'json', 'html'] as const)],
    validators: below(3) > 0
  })
  t.teardown(() => server.close())
  const { run, packages, rows, open, catalog, store } = await syncInto(
    t,
    join(t.testdirName, String(seed)),
    server
  )
  t.testdir({ [seed]: {} })
  const keepVersions = pick([undefined, undefined, 3])
  const upstream: State = new Map()
  let ours: State = new Map()
  const versions: string[][] = [[]]
  const read = async (version: number) =>
    (await packages(version))
      .map(({ project, filename, digests, yanked, requiresPython = '' }) =>
        [project, filename, digests.sha256, yanked, requiresPython].join(' ')
      )
      .sort()

  for (let step = 0; step < STEPS; step++) {
    for (let changes = below(12); changes > 0; changes--) change(server.index, upstream, source)
    const options: SyncOptions = {
      mirror: true,
      prereleases: true,
      maxRemovals: 1,
      maxRetries: 0,
      policy: pick(['immediate', 'immediate', 'on-demand']),
      fullCheck: pick(['0h', '30d', 'never']),
      keepVersions
    }
    // What fails in this step: a listing, documents, files.
    const failing = new Set([...upstream.keys()].filter(() => below(6) === 0))
    const lost = new Set(
      [...upstream.values()].flatMap(({ files }) => [...files.keys()]).filter(() => below(8) === 0)
    )
    for (const project of failing) server.fault({ kind: 'status', status: 500, match: `/simple/${project}/` })
    for (const filename of lost) server.fault({ kind: 'status', status: 500, match: `/${filename}` })
    if (below(8) === 0) {
      server.fault({ kind: 'status', status: 500, match: /^\/simple\/$/ })
      await t.rejects(run(options), { code: 'ERR_MILLRACE_STATUS' })
      server.clearFaults()
      continue
    }
    const held = new Set(
      step === 0
        ? []
        : (await rows<{ sha256: string }>('SELECT sha256 FROM files')).map(({ sha256 }) => sha256)
    )
    const next: State = new Map()
    for (const [key, project] of upstream) {
      const had = ours.get(key)
      if (failing.has(key)) {
        if (had !== undefined) next.set(key, had)
        continue
      }
      const missed = Array.from(project.files, ([filename]) => filename).filter(
        filename =>
          options.policy === 'immediate' &&
          lost.has(filename) &&
          !held.has(sha256(project.files.get(filename)?.content ?? ''))
      )
      // With a file that failed the project did: nothing of it goes.
      const files = new Map(missed.length > 0 ? had?.files : [])
      for (const [filename, file] of project.files) if (!missed.includes(filename)) files.set(filename, file)
      next.set(key, { ...project, files })
    }
    const report = await run(options)
    server.clearFaults()
    const [before, now] = [flat(ours), flat(next)]
    ours = next
    const where = `history ${seed}, step ${step}`
    // A project's spelling is part of its packages, too, so there may be a version more.
    if (report.changed || JSON.stringify(before) !== JSON.stringify(now)) versions.push(now)
    t.equal(report.version, versions.length - 1, where)
    t.strictSame(await read(report.version), now, where)
    const kept = (await open(opened => opened.versions('pypi'))).map(({ number }) => number)
    const older = pick(kept.length > 0 ? kept : [0])
    t.strictSame(await read(older), versions[older], `${where}, version ${older}`)
    t.strictSame((await verify({ catalog, store })).problems, [], where)
  }
  const kept = (await open(opened => opened.versions('pypi'))).map(({ number }) => number)
  for (const number of kept)
    t.strictSame(await read(number), versions[number], `history ${seed}, version ${number}`)

  // In the end it is all there.
  const { version } = await run({ mirror: true, prereleases: true, maxRemovals: 1, policy: 'immediate' })
  t.strictSame(await read(version), flat(upstream))
  const last = await packages()
  const names = new Map(Array.from(upstream, ([key, { name }]) => [key, name]))
  t.strictSame(
    last.filter(({ project, name, file }) => names.get(project) !== name || file === undefined),
    []
  )
}

for (let seed = SEED; seed < SEED + HISTORIES; seed++) t.test(`history ${seed}`, t => follow(t, seed))
