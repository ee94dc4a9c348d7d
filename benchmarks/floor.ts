/**
 * How far is a metadata sync from the bare loop that no pipeline can beat?
 *
 * Isolates: fetch, parse, filter and save to SQLite, of PEP 691 documents with 24 files (13 KB) at 0 ms. The file of
 * the catalog, with its empty tables, is made before.
 * Floor: the same requests through undici, as many in flight, `JSON.parse`, and the result thrown away.
 *
 *     npm run bench -- floor
 */
import type { Bench, Benchmark } from './harness/bench.js'
import { cpu, median, walls } from './harness/bench.js'
import { spawnIndexServer } from './index-server/spawn.js'
import { bareLoop, contentOf, newCatalog, syncAll } from './workload.js'

const FILES = 24
const CONCURRENCY = 64
const LIMIT = 1.75

export const floor: Benchmark = {
  name: 'floor',
  question: 'How far is a metadata sync from the bare loop?',
  isolates:
    'Fetch, parse, filter and save to SQLite: PEP 691 documents with 24 files (13 KB), 0 ms, 64 in flight. The empty catalog is made before.',
  floor: 'the same requests through undici, 64 in flight, `JSON.parse`, and the result thrown away.',
  minutes: 2,
  async run(bench) {
    await compare(bench, false)
    await compare(bench, true)
  }
}

async function compare(bench: Bench, gzip: boolean): Promise<void> {
  const projects = bench.size(4000, 40)
  const index = await spawnIndexServer({ projects, files: FILES, 'file-bytes': 'none', 'no-gzip': !gzip })
  const folder = await bench.folder()
  const kind = gzip ? 'gzip' : 'plain'
  try {
    const found = await bench.sample({
      bare: async () => {
        const files = await bareLoop({ origin: index.origin, projects, concurrency: CONCURRENCY, gzip })
        bench.check(`files that the bare loop saw, ${kind}`, files, projects * FILES)
      },
      sync: async () => {
        const catalog = await newCatalog(folder)
        const report = await syncAll(catalog, { indexUrl: index.indexUrl, concurrency: CONCURRENCY })
        bench.check(`packages that the sync saved, ${kind}`, report.packages.present, projects * FILES)
        bench.check('failures', report.failures.length, 0)
        await catalog.close()
      }
    })
    const catalog = await newCatalog(folder)
    await syncAll(catalog, { indexUrl: index.indexUrl, concurrency: CONCURRENCY })
    const { files, digests } = await contentOf(catalog)
    bench.check(
      `rows with a digest, read back, ${kind}`,
      [files, digests],
      [projects * FILES, projects * FILES]
    )
    await catalog.close()

    const bare = median(walls(found.bare))
    for (const name of ['bare', 'sync'] as const) {
      const samples = found[name]
      bench.row(`${name}-${kind}`, 'ms', walls(samples), {
        'projects/s': (projects * 1000) / median(walls(samples)),
        'µs CPU a project': (cpu(samples) * 1000) / projects,
        'times the floor': median(walls(samples)) / bare
      })
    }
    if (!gzip) bench.atMost('wall time, times the floor', median(walls(found.sync)) / bare, LIMIT)
  } finally {
    await index.stop()
  }
}
