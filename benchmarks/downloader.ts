/**
 * Does the downloader keep as many requests in flight as it may, all the time?
 *
 * Isolates: the `Downloader` alone, from a list of URLs to a reader that throws bodies away; small documents, so that
 * waiting is nearly all there is.
 * Floor: requests × round-trip time / requests in flight, which no client can beat.
 *
 *     npm run bench -- downloader
 */
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Downloader } from '../streams/index.js'
import type { Benchmark } from './harness/bench.js'
import { median, walls } from './harness/bench.js'
import { madeUpName } from './index-server/made-up.js'
import { spawnIndexServer } from './index-server/spawn.js'
import { bareLoop } from './workload.js'

const ROUND_TRIP_MS = 50
const LIMIT = 1.1
/** In flight; the bar is at the second. */
const CONCURRENCIES = [16, 64, 256]

export const downloader: Benchmark = {
  name: 'downloader',
  question: 'Does the downloader keep all its requests in flight?',
  isolates: 'The `Downloader` alone: documents with 1 file, 50 ms, a reader that throws them away.',
  floor:
    'requests × 50 ms / requests in flight. Beside it the bare undici loop, which reads the same bodies.',
  minutes: 2,
  async run(bench) {
    const most = bench.size(12_800, 256)
    const index = await spawnIndexServer({
      projects: most,
      files: 1,
      'file-bytes': 'none',
      latency: ROUND_TRIP_MS,
      'no-gzip': true
    })
    try {
      for (const concurrency of CONCURRENCIES) {
        const projects = bench.size(concurrency * 50, concurrency)
        let peak = 0
        const found = await bench.sample({
          bare: () => bareLoop({ origin: index.origin, projects, concurrency, parse: false }),
          ours: async () => {
            await index.reset()
            let seen = 0
            const urls = Array.from({ length: projects }, (_, at) => ({
              url: `${index.indexUrl}${madeUpName(at)}/`
            }))
            await pipeline(
              Readable.from(urls),
              new Downloader({ concurrency }),
              new Writable({
                objectMode: true,
                write(_downloaded, _encoding, done) {
                  seen++
                  done()
                }
              })
            )
            bench.check(`documents at ${concurrency}`, seen, projects)
            const { peakInFlight } = await index.stats()
            bench.check(
              `never more than ${concurrency} in flight, counted by the index`,
              peakInFlight <= concurrency,
              true
            )
            peak = Math.max(peak, peakInFlight)
          }
        })
        const floor = (projects * ROUND_TRIP_MS) / concurrency
        for (const name of ['bare', 'ours'] as const) {
          const samples = walls(found[name])
          bench.row(`${name}-50ms-${concurrency}`, 'ms', samples, {
            'times the floor': median(samples) / floor,
            'most in flight': name === 'ours' ? peak : ''
          })
        }
        if (concurrency === 64)
          bench.atMost('wall time at 64 in flight, times the floor', median(walls(found.ours)) / floor, LIMIT)
      }
    } finally {
      await index.stop()
    }
  }
}
