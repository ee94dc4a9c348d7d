/**
 * Does `concurrency: 'auto'` find what is worth it, near and far?
 *
 * Isolates: the number of documents in flight of a whole metadata sync, of small documents (1 file), so that it matters.
 * Floor: the best of the fixed numbers, each of them right for one place only.
 *
 *     npm run bench -- auto
 *     npm run bench -- auto --only=50ms --merge
 */
import type { Bench, Benchmark } from './harness/bench.js'
import { median, walls } from './harness/bench.js'
import { spawnIndexServer } from './index-server/spawn.js'
import { newCatalog, syncAll } from './workload.js'

const FIXED = [1, 4, 16, 64, 256]
/** For each round-trip time: how many projects, for some four seconds or more at the best number. */
const PLACES: readonly (readonly [latency: number, projects: number])[] = [
  [1, 28_000],
  [10, 24_000],
  [50, 18_000],
  [200, 9000]
]
const SHARE = 0.9
const DOCUMENTS = { files: 1, 'file-bytes': 'none', 'no-gzip': true } as const

export const auto: Benchmark = {
  name: 'auto',
  question: 'Does `concurrency: auto` find what is worth it?',
  isolates:
    'Documents in flight of a whole metadata sync, of documents with 1 file. A number that is far too low for a place has fewer projects, so that it takes seconds as well; rates are compared.',
  floor:
    'the best of the fixed numbers at each round-trip time; those that are near it and `auto` take turns.',
  minutes: 6,
  async run(bench) {
    for (const [latency, projects] of bench.quick ? PLACES.slice(0, 1) : PLACES)
      if (bench.wants(`${latency}ms`)) await place(bench, latency, projects)
  }
}

async function place(bench: Bench, latency: number, projects: number): Promise<void> {
  const most = bench.size(projects, 100)
  // As many as a low number can have in four seconds, and no more than there are.
  const countOf = (fixed: number) =>
    fixed === FIXED.at(-1) ? most : Math.min(most, Math.ceil((4000 * fixed) / latency))
  const fixed = bench.quick ? [4] : FIXED
  const rates = new Map<Concurrency, number>()
  for (const slow of fixed.filter(fixed => countOf(fixed) < most))
    await compare(bench, latency, countOf(slow), [slow], rates)
  // Those that may be the best take turns with what is compared with them.
  const contenders = fixed.filter(fixed => countOf(fixed) === most)
  await compare(bench, latency, most, [...contenders, 'auto'], rates)
  const best = Math.max(...fixed.map(fixed => rates.get(fixed) ?? 0))
  bench.atLeast(`auto at ${latency} ms, of the best fixed number`, (rates.get('auto') ?? 0) / best, SHARE)
}

type Concurrency = number | 'auto'

async function compare(
  bench: Bench,
  latency: number,
  count: number,
  all: readonly Concurrency[],
  rates: Map<Concurrency, number>
): Promise<void> {
  const index = await spawnIndexServer({ ...DOCUMENTS, projects: count, latency })
  let found = 0
  const run = async (concurrency: Concurrency) => {
    const catalog = await newCatalog(await bench.folder())
    const report = await syncAll(catalog, {
      indexUrl: index.indexUrl,
      concurrency,
      stages: stages => {
        stages[2]?.on('concurrency', (limit: number) => {
          found = limit
        })
        return stages
      }
    })
    bench.check(`packages, ${latency} ms, ${concurrency}`, report.packages.present, count)
    await catalog.close()
  }
  try {
    const samples = await bench.sample(
      Object.fromEntries(all.map(concurrency => [concurrency, () => run(concurrency)])),
      { samples: all.length > 1 ? 5 : 3 }
    )
    for (const concurrency of all) {
      const times = walls(samples[concurrency] ?? [])
      rates.set(concurrency, (count * 1000) / median(times))
      bench.row(
        `${latency}ms-${concurrency}`,
        'projects/s',
        times.map(ms => (count * 1000) / ms),
        { projects: count, 'in flight at the end': concurrency === 'auto' ? found : concurrency }
      )
    }
  } finally {
    await index.stop()
  }
}
