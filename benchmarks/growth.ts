/**
 * Does a project cost the same when there are a hundred times as many, and does memory stay flat?
 *
 * Isolates: a whole sync from the listing to the committed version, in a process of its own, PEP 691 documents with 24
 * files at 0 ms; with `--all-of-pypi` also as many projects and files as PyPI has, as unevenly spread.
 * Floor: the cost at 1,000 projects.
 *
 *     npm run bench -- growth
 *     npm run bench -- growth --all-of-pypi
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, Benchmark } from './harness/bench.js'
import { median } from './harness/bench.js'
import { inOwnProcess } from './harness/own-process.js'
import { spawnIndexServer } from './index-server/spawn.js'
import type { SyncResult } from './sync-case.js'

const CASES = new URL(import.meta.url.endsWith('.ts') ? './sync-case.ts' : './sync-case.js', import.meta.url)
  .href
const FILES = 24
const CONCURRENCY = 64
const MEMORY_MB = 256

/** PyPI's size: published figures of 2026, see the shared data's statistics. */
const PYPI_PROJECTS = 740_000
const PYPI_MINUTES = 12

export const growth: Benchmark = {
  name: 'growth',
  question: 'Does a project cost the same when there are a hundred times as many?',
  isolates:
    'A whole sync from the listing to the committed version, in a process of its own; documents with 24 files, 0 ms, 64 in flight. `all-of-pypi` has as many projects and files as PyPI, as unevenly spread (median 5, mean about 20, at most 10,000), made up on the fly.',
  floor: 'the cost of a project at 1,000 projects.',
  minutes: 5,
  async run(bench) {
    const costs: [number, number][] = []
    const peaks: [number, number][] = []
    for (const projects of bench.quick ? [20, 100] : [1000, 10_000, 100_000]) {
      if (!bench.wants('sizes')) break
      const samples = projects > 50_000 ? 2 : projects > 5000 ? 3 : 9
      const { cost, peak } = await one(bench, `${projects}`, projects, FILES, samples)
      costs.push([projects, cost])
      peaks.push([projects, peak])
    }
    const [first, last] = [costs[0], costs.at(-1)]
    if (first !== undefined && last !== undefined)
      bench.atMost(`cost of a project at ${last[0]}, times that at ${first[0]}`, last[1] / first[1], 1.15)
    if (peaks.length > 0)
      bench.atMost('peak memory at every size, MB', Math.max(...peaks.map(([, mb]) => mb)), MEMORY_MB)
    if (bench.flags.has('all-of-pypi')) {
      const projects = bench.size(PYPI_PROJECTS, 200)
      const { minutes, peak } = await one(bench, 'all-of-pypi', projects, 'skewed', 1)
      bench.atMost('all of PyPI, minutes', minutes, PYPI_MINUTES)
      bench.atMost('all of PyPI, peak memory in MB', peak, MEMORY_MB)
    }
    if (first === undefined) return
    bench.charts.push(
      {
        title: 'Cost of a project as projects grow',
        xLabel: 'projects',
        xLog: true,
        yLabel: 'µs a project',
        series: [{ label: 'sync', points: costs }]
      },
      {
        suffix: 'memory',
        title: 'Peak memory as projects grow',
        xLabel: 'projects',
        xLog: true,
        yLabel: 'MB',
        series: [{ label: 'sync', points: peaks }],
        bar: { y: MEMORY_MB, label: `${MEMORY_MB} MB` }
      }
    )
  }
}

async function one(
  bench: Bench,
  name: string,
  projects: number,
  files: number | 'skewed',
  samples: number
): Promise<{ cost: number; peak: number; minutes: number }> {
  const index = await spawnIndexServer({ projects, files, 'file-bytes': 'none', 'no-gzip': true })
  const times: number[] = []
  const memory: number[] = []
  let packages = 0
  let megabytes = 0
  try {
    for (let sample = 0; sample < bench.size(samples, 1); sample++) {
      const folder = await bench.folder()
      const { result, peakBytes } = await inOwnProcess<SyncResult>(CASES, 'syncOnce', {
        catalog: join(folder, 'c.db'),
        indexUrl: index.indexUrl,
        concurrency: CONCURRENCY
      })
      const { report, ms } = result
      bench.check(`projects fetched of ${projects}`, report.projects.fetched, projects)
      bench.check('failures', report.failures.length, 0)
      if (files !== 'skewed')
        bench.check(`packages of ${projects} projects`, report.packages.present, projects * files)
      packages = report.packages.present
      times.push((ms * 1000) / projects)
      memory.push(peakBytes / 1e6)
      megabytes = (await stat(join(folder, 'c.db'))).size / 1e6
      bench.log(`${name}: ${(ms / 1000).toFixed(1)} s, ${(peakBytes / 1e6).toFixed(0)} MB`)
      await bench.end()
    }
  } finally {
    await index.stop()
  }
  const cost = median(times)
  const peak = Math.max(...memory)
  const seconds = (cost * projects) / 1e6
  bench.row(name, 'µs a project', times, {
    packages,
    seconds,
    'rows/s': packages / seconds,
    'peak memory, MB': peak,
    'catalog, MB': megabytes
  })
  return { cost, peak, minutes: seconds / 60 }
}
