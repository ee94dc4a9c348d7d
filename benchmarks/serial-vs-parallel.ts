/**
 * What does fetching metadata in parallel gain, and where does it end?
 *
 * The seed (Pulp issue #4132) supposes little gain where each project has many files and much where it has few, or where
 * the files are not downloaded. Here is its answer: how many documents are in flight × round-trip time × files of a
 * project × lazy (`on-demand`) or not (`immediate`, each file 1 KiB, 16 in flight).
 *
 * Isolates: the number of documents in flight; all else stays. A cell is one sync of a second or two, into a catalog that
 * was made before.
 * Floor: the best cell of a row.
 *
 *     npm run bench -- serial-vs-parallel
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, Benchmark } from './harness/bench.js'
import { shown, timed } from './harness/bench.js'
import { madeUpName } from './index-server/made-up.js'
import { type SpawnedIndex, spawnIndexServer } from './index-server/spawn.js'
import { bareLoop, newCatalog, syncAll } from './workload.js'

const CONCURRENCIES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
const ROUND_TRIPS_MS = [1, 10, 50, 200]
const FILES = [1, 10, 100, 1000]
/** Files in flight in the immediate cells: the default of a sync. */
const DOWNLOADS = 16
/** What a cell should take, in ms, and what a document, a row and a file cost besides waiting. */
const [CELL_MS, DOCUMENT_MS, ROW_MS, FILE_MS] = [1200, 0.25, 0.015, 0.6]
/** A row's knee: so much of the best rate is good enough. */
const GOOD = 0.9

export const serialVsParallel: Benchmark = {
  name: 'serial-vs-parallel',
  question: 'What does fetching metadata in parallel gain, and where does it end?',
  isolates:
    'Documents in flight; all else stays. Each cell is one sync of a second or two (one sample) into an empty catalog: on-demand (metadata only) and immediate (each file, 1 KiB, comes too, 16 in flight).',
  floor: 'the best cell of each row.',
  minutes: 12,
  async run(bench) {
    const trips = bench.quick ? [1] : ROUND_TRIPS_MS
    const sizes = bench.quick ? [1, 10] : FILES
    for (const policy of ['on-demand', 'immediate'] as const) {
      for (const files of sizes) {
        if (!bench.wants(`${policy}-${files}-files`)) continue
        const series: { label: string; points: [number, number][] }[] = []
        for (const latency of trips) {
          const points = await curve(bench, policy, files, latency)
          series.push({ label: `${latency} ms`, points })
          line(bench, `${policy}-${files}-files-${latency}ms`, points)
        }
        bench.charts.push({
          suffix: `${policy}-${files}`,
          title: `${policy}, ${files} ${files === 1 ? 'file' : 'files'} a project`,
          xLabel: 'documents in flight',
          yLabel: 'projects/s',
          xLog: true,
          yLog: true,
          series
        })
      }
    }
  }
}

/** One row of the table: the cells, and what they come to. */
function line(bench: Bench, name: string, points: readonly (readonly [number, number])[]): void {
  const serial = points[0]?.[1] ?? 0
  const best = Math.max(...points.map(([, rate]) => rate))
  const knee = points.find(([, rate]) => rate >= best * GOOD)?.[0] ?? 0
  bench.row(name, 'projects/s, best', [best], {
    ...Object.fromEntries(
      points.map(([concurrency, rate]) => [`${concurrency}`, `${shown(rate / serial)} ×`])
    ),
    'serial, projects/s': serial,
    'knee, in flight': knee
  })
}

async function curve(
  bench: Bench,
  policy: 'on-demand' | 'immediate',
  files: number,
  latency: number
): Promise<[number, number][]> {
  const all = bench.quick ? [1, 16] : CONCURRENCIES
  const counts = all.map(concurrency => projectsOf(bench, policy, files, latency, concurrency))
  // With more in flight than there are projects, a cell would say the same again.
  const concurrencies = all.filter((concurrency, at) => concurrency <= (counts[at] as number))
  const projects = Math.max(...counts)
  const index = await spawnIndexServer({
    projects,
    files,
    latency,
    'file-bytes': policy === 'immediate' ? 1024 : 'none'
  })
  const folder = await bench.folder()
  const points: [number, number][] = []
  try {
    // The index makes its templates at the first requests.
    await bareLoop({ origin: index.origin, projects, concurrency: 256, parse: false })
    await cell(bench, index, folder, policy, files, { concurrency: 16, projects: Math.min(16, projects) })
    for (const [at, concurrency] of concurrencies.entries()) {
      const count = counts[at] as number
      const ms = await cell(bench, index, folder, policy, files, { concurrency, projects: count })
      bench.log(
        `${policy} ${files} files ${latency} ms ${concurrency}: ${count} projects, ${ms.toFixed(0)} ms`
      )
      points.push([concurrency, (count * 1000) / ms])
    }
  } finally {
    await index.stop()
  }
  return points
}

/** As many projects as a cell can do in its time, by a rough estimate; at least enough to fill what is in flight. */
function projectsOf(
  bench: Bench,
  policy: 'on-demand' | 'immediate',
  files: number,
  latency: number,
  concurrency: number
): number {
  if (bench.quick) return 16
  const document = Math.max(latency / concurrency, DOCUMENT_MS) + files * ROW_MS
  const downloads = policy === 'immediate' ? files * Math.max(latency / DOWNLOADS, FILE_MS) : 0
  const least = policy === 'immediate' ? 4 : 8
  return Math.max(least, Math.min(6000, Math.round(CELL_MS / Math.max(document, downloads))))
}

async function cell(
  bench: Bench,
  index: SpawnedIndex,
  folder: string,
  policy: 'on-demand' | 'immediate',
  files: number,
  { concurrency, projects }: { readonly concurrency: number; readonly projects: number }
): Promise<number> {
  const catalog = await newCatalog(folder)
  const store = join(folder, 'store')
  await rm(store, { recursive: true, force: true })
  const includes = Array.from({ length: projects }, (_, at) => madeUpName(at))
  const { ms } = await timed(async () => {
    const report = await syncAll(catalog, {
      ...{ indexUrl: index.indexUrl, includes, policy, store, concurrency },
      downloadConcurrency: DOWNLOADS
    })
    const found = [report.packages.present, report.files.downloaded, report.failures.length]
    const downloaded = policy === 'immediate' ? projects * files : 0
    if (String(found) !== String([projects * files, downloaded, 0]))
      throw new Error(`a cell is wrong: ${found}`)
  })
  await catalog.close()
  bench.check(
    'each cell: packages present, files downloaded, failures',
    'as the index has them',
    'as the index has them'
  )
  return ms
}
