/**
 * What does a later sync cost? So many made-up projects of three files are synced for the first time, again with nothing
 * new, again with so many of them changed, and once more with nothing new. Counts the index's requests, and checks them:
 * one, and one more for each changed project. The index is a process of its own, so its work is not in the times but
 * for the cores that it takes.
 *
 *     node dist/benchmarks/incremental.js [PROJECTS] [CHANGED]
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { sync } from '../streams/sync.js'
import { spawnIndexServer } from './index-server/spawn.js'

const [projects = 100_000, changed = 500] = process.argv.slice(2).map(Number)
const FILES = 3

const index = await spawnIndexServer({ projects, files: FILES, 'file-bytes': 'none' })
const directory = await mkdtemp(join(tmpdir(), 'millrace-incremental-'))
const catalog = join(directory, 'catalog.db')
const { indexUrl } = index

/** Syncs, and tells the figures. */
async function measure(what: string, requests: number, mirror = true): Promise<void> {
  await index.reset()
  const report = await sync({ indexUrl, catalog, mirror, prereleases: true, store: join(directory, 'store') })
  const stats = await index.stats()
  if (stats.requests !== requests || report.failures.length > 0)
    throw new Error(`${what}: ${stats.requests} requests where ${requests} were expected`)
  const { version, durationMs, projects: counts, packages } = report
  const { rss } = process.memoryUsage()
  console.log(
    JSON.stringify({
      ...{ what, requests, bytes: stats.bytes, seconds: durationMs / 1000, version, fetched: counts.fetched },
      ...{ unchanged: counts.unchanged, added: packages.added, present: packages.present },
      ...{ rssMB: Math.round(rss / 1e6), load: loadavg()[0] }
    })
  )
}

try {
  await measure('first', projects + 1)
  await measure('nothing new', 1)
  await index.release(changed)
  await measure(`${changed} changed`, changed + 1)
  await measure('nothing new', 1)
  const { size } = await stat(catalog)
  console.log(JSON.stringify({ catalogMB: Math.round(size / 1e6) }))
} finally {
  await index.stop()
  await rm(directory, { recursive: true, force: true })
}
