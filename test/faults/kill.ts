/**
 * Syncs that end by SIGKILL at a random moment of each phase. After each, the catalog opens, every file in the store is
 * whole and the repository shows a whole version; and the run that finishes the work fetches again only what was not
 * saved. `MILLRACE_KILLS=50` for more of them.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { IndexServer } from '../../benchmarks/index-server/server.js'
import { DirectoryStore } from '../../lib/store/directory-store.js'
import type { SyncOptions } from '../../streams/sync.js'
import { startCli } from '../helpers/cli.js'
import { indexServer } from '../helpers/index-server.js'
import { type Random, random } from '../helpers/random.js'
import { type SyncSetup, syncInto } from '../helpers/sync.js'

const KILLS = Number(process.env.MILLRACE_KILLS ?? 5)
const PROJECTS = 80
/** New with the release that is synced: a wheel and an sdist a project. */
const NEW_FILES = 2 * PROJECTS
/** The listing, the document of each project that is left, the new files. */
const REQUESTS = 1 + (PROJECTS - 1) + NEW_FILES

/** In flight at most: eight downloads and what the downloader holds unread, what waits for the saver, two batches of it. */
const FILES_IN_FLIGHT = 8 + 16 + 16 + 2 * 32

const OPTIONS: SyncOptions = { policy: 'immediate', mirror: true, prereleases: true, includes: [] }
const FLAGS = [
  ...['--policy', 'immediate', '--mirror', '--prereleases'],
  ...['--concurrency', '8', '--download-concurrency', '8']
]

// Many processes and many waits, on machines that may be busy.
t.setTimeout(60_000 + KILLS * 60_000)

type Phase = 'start' | 'documents' | 'files' | 'commit' | 'any'
const PHASES: readonly Phase[] = ['commit', 'files', 'documents', 'start', 'any']

/** Waits for the moment in which a run of the phase is to die; ends early when the run does. */
async function moment(
  phase: Phase,
  { below }: Random,
  index: IndexServer,
  over: () => boolean
): Promise<void> {
  const requests: Record<Phase, number> = {
    start: 0,
    documents: 1 + below(PROJECTS),
    // The first files are asked for before the last documents are there.
    files: PROJECTS + below(NEW_FILES),
    commit: REQUESTS,
    any: below(REQUESTS)
  }
  while (index.stats().requests < requests[phase] && !over()) await sleep(1)
  await sleep(below(phase === 'start' ? 800 : phase === 'commit' ? 200 : 20))
}

/** What a repository shows, in a form that can be compared. */
async function shown(setup: SyncSetup, version?: number): Promise<string[]> {
  return (await setup.packages(version)).map(
    ({ filename, digests, file }) => `${filename} ${digests.sha256} ${file}`
  )
}

/** Checks catalog and store as a careful reader would, after whatever happened. */
async function verify(t: Test, setup: SyncSetup): Promise<void> {
  t.strictSame(await setup.rows('PRAGMA integrity_check'), [{ integrity_check: 'ok' }])
  t.strictSame(await setup.rows('PRAGMA foreign_key_check'), [])
  const store = new DirectoryStore(setup.store)
  const held = new Set<string>()
  let damaged = 0
  for await (const { sha256 } of store.list()) {
    const hash = createHash('sha256')
    for await (const chunk of store.createReadStream(sha256)) hash.update(chunk)
    if (hash.digest('hex') !== sha256) damaged++
    held.add(sha256)
  }
  t.equal(damaged, 0, 'every file is whole')
  const rows = await setup.rows<{ sha256: string }>(
    'SELECT sha256 FROM files UNION SELECT file FROM packages WHERE file IS NOT NULL'
  )
  t.strictSame(
    rows.filter(({ sha256 }) => !held.has(sha256)),
    [],
    'every file that the catalog speaks of is there'
  )
}

t.test('killed in each phase', { timeout: 60_000 + KILLS * 60_000 }, async t => {
  const index = await indexServer(t, { projects: PROJECTS, files: 4, fileBytes: 3000 })
  const directory = t.testdir({ base: {} })
  const base = await syncInto(t, join(directory, 'base'), index)
  await base.run(OPTIONS)
  const before = await shown(base)
  index.index.remove('sample-000003')
  index.index.remove('sample-000005', [...(index.index.project('sample-000005')?.files ?? [])][0]?.filename)
  index.release(PROJECTS - 1)
  index.index.release('sample-000000')

  const undisturbed = join(directory, 'undisturbed')
  cpSync(join(directory, 'base'), undisturbed, { recursive: true })
  const expected = await syncInto(t, undisturbed, index)
  index.reset()
  await expected.run(OPTIONS)
  const after = await shown(expected)
  const whole = index.stats().byKind
  t.equal(index.stats().requests, REQUESTS)
  t.not(after.length, before.length)

  const dice = random(20)
  const figures = { killed: 0, documents: 0, files: 0, most: 0 }
  index.latencyMs = 2
  for (let round = 0; round < KILLS; round++) {
    const phase = PHASES[round % PHASES.length] as Phase
    await t.test(`${round}: ${phase}`, async t => {
      const folder = join(directory, `round${round}`)
      mkdirSync(folder)
      cpSync(join(directory, 'base'), folder, { recursive: true })
      const setup = await syncInto(t, folder, index)
      index.reset()
      const { child, result } = startCli(
        ['sync', '--index-url', index.indexUrl, '--catalog', 'catalog.db', '--store', 'store', ...FLAGS],
        folder
      )
      const exit = once(child, 'exit')
      await moment(phase, dice, index, () => child.exitCode !== null)
      child.kill('SIGKILL')
      await exit
      if ((await result).status === null) figures.killed++
      while (index.stats().inFlight > 0) await sleep(1)
      const first = index.stats().byKind

      await verify(t, setup)
      const versions = await setup.open(catalog => catalog.versions('pypi'))
      t.strictSame(await shown(setup), versions.length === 1 ? before : after, 'it shows a whole version')
      t.strictSame(await shown(setup, 1), before)
      const saved = await count(setup)
      index.reset()
      const report = await setup.run(OPTIONS)
      t.strictSame(report.failures, [])
      t.strictSame(await shown(setup), after, 'as if nothing had happened')
      await verify(t, setup)
      t.strictSame(readdirSync(join(setup.store, 'tmp')), [], 'what was half-written is gone')

      const second = index.stats().byKind
      t.equal(second.project, versions.length === 1 ? whole.project - saved.projects : 0)
      t.equal(second.file, whole.file - saved.files)
      const documents = first.project + second.project - whole.project
      const files = first.file + second.file - whole.file
      t.ok(files <= FILES_IN_FLIGHT, `${files} files`)
      figures.documents += Math.max(0, documents)
      figures.files += Math.max(0, files)
      figures.most = Math.max(figures.most, documents, files)
      t.comment(
        `died after ${first.project} documents and ${first.file} files; fetched again: ${documents} and ${files}`
      )
    })
  }
  t.comment(
    `${figures.killed} of ${KILLS} killed; ${figures.documents} documents and ${figures.files} files were fetched again, at most ${figures.most} after one kill`
  )
})

/** What the run that died has saved: projects that are settled, and new files. */
async function count(setup: SyncSetup): Promise<{ projects: number; files: number }> {
  const [row] = await setup.rows<{ projects: number; files: number }>(
    `SELECT
       (SELECT count(*) FROM projects WHERE checked_run > (SELECT committed_run FROM repositories)) AS projects,
       (SELECT count(*) FROM files) - ${4 * PROJECTS} AS files`
  )
  return row as { projects: number; files: number }
}
