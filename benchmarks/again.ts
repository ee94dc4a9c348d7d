/**
 * What does a sync cost that has nothing to do, or little?
 *
 * Isolates: the second sync of an index, from opening the catalog to the report, in a process of its own.
 * Floor: reading the listing, which is one request.
 *
 *     npm run bench -- again
 */
import { join } from 'node:path'
import type { Benchmark } from './harness/bench.js'
import { median } from './harness/bench.js'
import { inOwnProcess } from './harness/own-process.js'
import { spawnIndexServer } from './index-server/spawn.js'
import type { SyncResult } from './sync-case.js'

const CASES = new URL(import.meta.url.endsWith('.ts') ? './sync-case.ts' : './sync-case.js', import.meta.url)
  .href
const FILES = 24
const SHARE = 0.02

export const again: Benchmark = {
  name: 'again',
  question: 'What does a sync cost that has nothing to do, or little?',
  isolates:
    'The second sync of 100,000 projects with 24 files, from opening the catalog to the report, in a process of its own: with nothing new, and with a release of 1% of the projects.',
  floor: 'one request for the listing.',
  minutes: 5,
  async run(bench) {
    const projects = bench.size(100_000, 100)
    const folder = await bench.folder()
    const index = await spawnIndexServer({ projects, files: FILES, 'file-bytes': 'none', 'no-gzip': true })
    const options = { catalog: join(folder, 'c.db'), indexUrl: index.indexUrl, concurrency: 64 }
    const run = async (
      name: string,
      samples: number,
      check: (found: SyncResult, requests: number) => void,
      before?: () => Promise<void>
    ) => {
      const times: number[] = []
      let requests = 0
      for (let sample = 0; sample < bench.size(samples, 1); sample++) {
        await before?.()
        await index.reset()
        const { result } = await inOwnProcess<SyncResult>(CASES, 'syncOnce', options)
        ;({ requests } = await index.stats())
        check(result, requests)
        times.push(result.ms / 1000)
        bench.log(`${name}: ${(result.ms / 1000).toFixed(2)} s, ${requests} requests`)
      }
      bench.row(name, 's', times, {
        requests,
        'share of the first, %': (median(times) / (first ?? median(times))) * 100
      })
      return median(times)
    }
    let first: number | undefined
    try {
      first = await run('first', 1, ({ report }) => {
        bench.check('packages after the first sync', report.packages.present, projects * FILES)
      })
      const nothing = await run('nothing-new', 5, ({ report }, requests) => {
        bench.check('requests with nothing new', requests, 1)
        bench.check('changed with nothing new', report.changed, false)
      })
      const released = Math.max(1, projects / 100)
      await run(
        'one-percent-new',
        3,
        ({ report }, requests) => {
          bench.check('projects fetched with 1% new', report.projects.fetched, released)
          bench.check('requests with 1% new', requests, released + 1)
          bench.check('changed with 1% new', report.changed, true)
        },
        () => index.release(released)
      )
      bench.atMost('nothing new, share of the first run', nothing / first, SHARE)
    } finally {
      await index.stop()
    }
  }
}
