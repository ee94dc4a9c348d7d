/** One limit of requests a second for the whole cluster, by the index's own count. */
import { join } from 'node:path'
import t from 'tap'
import { cli } from '../helpers/cli.js'
import { startWorker } from '../helpers/cluster.js'
import { indexServer } from '../helpers/index-server.js'
import { emptyDatabase } from '../helpers/postgres.js'

const [PER_SECOND, PROJECTS] = [25, 100]

t.test('four workers together', async t => {
  const index = await indexServer(t, { projects: PROJECTS, files: 1 })
  const folder = t.testdir()
  const at = ['--catalog', await emptyDatabase(t), '--store', join(folder, 'store')]
  const workers = Array.from({ length: 4 }, () => startWorker(t, at, folder))
  const limit = ['--requests-per-second', String(PER_SECOND)]
  const { status, stderr } = await cli(
    ['sync', '--cluster', '--shards', '20', ...at, ...limit, '--index-url', index.indexUrl],
    folder
  )
  t.equal(status, 0, stderr)
  const times = index.requests(/^\/simple\/[^/]+\/$/).map(({ startedMs }) => startedMs)
  t.equal(times.length, PROJECTS)
  const seconds = (Number(times.at(-1)) - Number(times[0])) / 1000
  t.ok(seconds >= ((PROJECTS - 1) / PER_SECOND) * 0.95, `${seconds} s for ${PROJECTS}`)
  const most = Math.max(...times.map(from => times.filter(time => time >= from && time < from + 1000).length))
  t.comment(`${most} in the fullest second`)
  for (const worker of workers) t.match(worker.said(), /shard \d+ done/, 'each had a part')
})
