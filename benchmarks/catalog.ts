/**
 * How fast does the catalog take rows and answer look-ups, empty and at 10 million rows?
 *
 * Isolates: a run's `savePackages` and `lookupPackages` in batches of 720, as a sync does, from packages that are there already.
 * Floor: a bare loop over one prepared statement on the same driver, into the same columns and keys.
 *
 *     npm run bench -- catalog
 */
import { join } from 'node:path'
import sqlite3 from 'sqlite3'
import { Catalog } from '../lib/catalog/catalog.js'
import type { Run } from '../lib/catalog/run.js'
import type { Package } from '../lib/pypi/package.js'
import type { Bench, Benchmark } from './harness/bench.js'
import { median, shown, timed } from './harness/bench.js'
import { madeUpName } from './index-server/made-up.js'
import { newCatalog } from './workload.js'

const BATCH = 720
const FILES = 24
/** Projects of a batch. */
const PROJECTS = BATCH / FILES
const LIMIT = 0.7

export const catalog: Benchmark = {
  name: 'catalog',
  question: 'How fast does the catalog take rows, empty and at 10 million?',
  isolates:
    '`savePackages` and `lookupPackages` of a run in batches of 720 (30 projects with 24 files), as a sync does, from packages that are there already.',
  floor:
    'one prepared statement of 15 values a row on the same driver, in the same transactions, into the same table and keys.',
  minutes: 10,
  async run(bench) {
    const folder = await bench.folder()
    const sampled = bench.size(216_000, 4320)
    const bare: number[] = []
    const empty: number[] = []
    for (let sample = 0; sample < bench.size(5, 1); sample++) {
      bare.push(await bareRates(folder, sampled))
      const made = await newCatalog(folder)
      const run = await made.beginRun({ repository: 'pypi' })
      empty.push(await save(run, 0, sampled))
      bench.check('rows saved', (await run.commit()).present, sampled)
      await run.finish('done')
      await made.close()
    }
    bench.row('insert-bare-empty', 'rows/s', bare)
    bench.row('insert-empty', 'rows/s', empty, { 'times bare': median(empty) / median(bare) })
    await grow(bench, folder, sampled, median(empty))
  }
}

/** Fills a catalog to 10 million rows and measures on the way. */
async function grow(bench: Bench, folder: string, sampled: number, empty: number): Promise<void> {
  const step = BATCH * bench.size(695, 1)
  const rows = step * bench.size(20, 10)
  const made = await newCatalog(folder)
  const points: [number, number][] = []
  let run = await made.beginRun({ repository: 'pypi' })
  for (let at = 0; at < rows; at += step) {
    const rate = await save(run, at, step)
    bench.log(`${at + step} rows: ${rate.toFixed(0)} rows/s`)
    points.push([(at + step) / 1e6, rate])
  }
  bench.check('rows in the large catalog', (await run.commit()).present, rows)
  await run.finish('done')

  run = await made.beginRun({ repository: 'pypi' })
  const full: number[] = []
  const lookups: number[] = []
  for (let sample = 0; sample < bench.size(5, 1); sample++) {
    full.push(await save(run, rows + sample * sampled, sampled))
    lookups.push(await lookUp(bench, run, rows, sampled))
  }
  await run.finish('failed')
  await made.close()
  const ratio = median(full) / empty
  bench.row(`insert-at-${shown(rows / 1e6)}M`, 'rows/s', full, { 'times empty': ratio })
  bench.row(`look-up-at-${shown(rows / 1e6)}M`, 'rows/s', lookups)
  bench.atLeast(`rows/s at ${shown(rows / 1e6)} million rows, times empty`, ratio, LIMIT)
  bench.charts.push({
    title: 'Saving rows as the catalog grows',
    xLabel: 'rows in the catalog, millions',
    yLabel: 'rows/s',
    series: [{ label: 'savePackages', points }],
    bar: { y: empty * LIMIT, label: '0.7 × empty' }
  })
}

/** Saves so many packages from number `from` on; returns rows a second, of saving alone. */
async function save(run: Run, from: number, count: number): Promise<number> {
  let spent = 0
  for (let at = 0; at < count; at += BATCH) {
    const packages = batch((from + at) / BATCH)
    const names = [...new Set(packages.map(({ project }) => project))]
    const projects = names.map(project => ({
      project,
      name: project,
      url: `https://index.example/${project}/`
    }))
    const { ms } = await timed(async () => {
      await run.lookupProjects(projects)
      await run.savePackages(packages)
    })
    spent += ms
  }
  return (count * 1000) / spent
}

/** Looks up packages of projects from all over the catalog. */
async function lookUp(bench: Bench, run: Run, rows: number, count: number): Promise<number> {
  let spent = 0
  const batches = rows / BATCH
  for (let at = 0; at < count / BATCH; at++) {
    // A stride that meets all batches, in no order that a cache could use.
    const packages = batch((at * 7919) % batches)
    const { ms } = await timed(async () => {
      const found = await run.lookupPackages(packages)
      bench.check(
        'all packages that are looked up are known',
        found.every(({ known }) => known === 'same'),
        true
      )
    })
    spent += ms
  }
  return (count * 1000) / spent
}

function batch(number: number): Package[] {
  return Array.from({ length: BATCH }, (_, at) =>
    madeUpPackage(number * PROJECTS + Math.floor(at / FILES), at % FILES)
  )
}

function madeUpPackage(project: number, file: number): Package {
  const name = madeUpName(project)
  const version = `1.${file >> 1}.0`
  const filename = `${name.replace('-', '_')}-${version}${file % 2 === 0 ? '.tar.gz' : '-py3-none-any.whl'}`
  const sha256 = digest(project * FILES + file)
  return {
    project: name,
    name,
    version,
    filename,
    url: `https://files.example/packages/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256.slice(4)}/${filename}`,
    digests: { sha256 },
    size: 60_000 + file,
    packageType: file % 2 === 0 ? 'sdist' : 'bdist_wheel',
    requiresPython: '>=3.9',
    yanked: false,
    uploadTime: '2024-05-06T07:08:09.123456Z',
    coreMetadata: { sha256: digest(project + file) },
    provenance: undefined
  }
}

/** 64 hex digits that do not repeat. */
function digest(number: number): string {
  let state = (number * 2_654_435_761) >>> 0
  let text = ''
  for (let word = 0; word < 8; word++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    text += state.toString(16).padStart(8, '0')
  }
  return text
}

/** The floor: rows a second through one prepared statement, a value at a time. */
async function bareRates(folder: string, count: number): Promise<number> {
  await (await newCatalog(folder, 'bare.db')).close()
  const handle = new sqlite3.Database(join(folder, 'bare.db'))
  const call = (work: (done: (error: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => work(error => (error === null ? resolve() : reject(error))))
  await call(done => handle.exec('PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF', done))
  const columns =
    'added, seen_run, project_id, filename, url, name, version, size, sha256, package_type, requires_python, upload_time, core_metadata'
  const rows = Array.from({ length: 240 }, () => `(1, 1, ${Array(11).fill('?').join(', ')})`)
  const statement = handle.prepare(`INSERT INTO packages (${columns}) VALUES ${rows.join(', ')}`)
  let spent = 0
  for (let at = 0; at < count; at += BATCH) {
    const packages = batch(at / BATCH)
    const values = packages.map((pkg, index) => [
      String(at / FILES + Math.floor(index / FILES) + 1),
      pkg.filename,
      pkg.url,
      pkg.name,
      String(pkg.version),
      String(pkg.size),
      String(pkg.digests.sha256),
      pkg.packageType,
      String(pkg.requiresPython),
      String(pkg.uploadTime),
      JSON.stringify(pkg.coreMetadata)
    ])
    const { ms } = await timed(async () => {
      await call(done => handle.exec('BEGIN', done))
      for (let part = 0; part < BATCH; part += 240)
        await call(done => statement.run(values.slice(part, part + 240).flat(), done))
      await call(done => handle.exec('COMMIT', done))
    })
    spent += ms
  }
  await call(done => statement.finalize(() => done(null)))
  await call(done => handle.close(done))
  const written = await Catalog.open(join(folder, 'bare.db'))
  await written.close()
  return (count * 1000) / spent
}
