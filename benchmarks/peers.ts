/**
 * How much faster is it than what a Node developer writes first, and than the serial pipeline of the seed?
 *
 * Isolates: the whole work, from the names of the projects to rows in SQLite, with the same documents and as many rows.
 * Floor: the bare loop of `floor`.
 *
 *     npm run bench -- peers
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import knexModule from 'knex'
import type { Bench, Benchmark } from './harness/bench.js'
import { median, walls } from './harness/bench.js'
import { madeUpName } from './index-server/made-up.js'
import { spawnIndexServer } from './index-server/spawn.js'
import { bareLoop, newCatalog, syncAll } from './workload.js'

const FILES = 24
const CONCURRENCY = 64

export const peers: Benchmark = {
  name: 'peers',
  question: 'How much faster is it than what people write, and than one after the other?',
  isolates:
    'From names to rows in SQLite, the same documents (24 files, 13 KB), as many rows. `script` is `fetch` with 64 in flight as p-limit keeps them, `await response.json()`, and knex `batchInsert` with a transaction a project; `serial` is our own pipeline with 1 in flight.',
  floor:
    'the bare loop of `floor`. All rates are projects a second, so that the slow ones may do with fewer.',
  minutes: 6,
  async run(bench) {
    await at(bench, 0, {
      script: bench.size(600, 10),
      serial: bench.size(600, 10),
      sync: bench.size(4000, 40)
    })
    await at(bench, 50, {
      script: bench.size(600, 10),
      serial: bench.size(300, 4),
      sync: bench.size(12_000, 40)
    })
  }
}

async function at(
  bench: Bench,
  latency: number,
  sizes: { readonly script: number; readonly serial: number; readonly sync: number }
): Promise<void> {
  const folder = await bench.folder()
  const rates: Record<string, number> = {}
  const run = async (
    name: string,
    projects: number,
    samples: number,
    work: (index: { origin: string; indexUrl: string }) => Promise<number>
  ) => {
    const options = { projects, files: FILES, 'file-bytes': 'none', latency, 'no-gzip': true }
    const index = await spawnIndexServer(options)
    try {
      const found = await bench.sample(
        {
          [name]: async () =>
            bench.check(`rows of ${projects} projects, ${name}`, await work(index), projects * FILES)
        },
        { samples, warmUp: samples > 3 }
      )
      const times = walls(found[name] ?? [])
      const rate = (projects * 1000) / median(times)
      rates[name] = rate
      bench.row(
        `${name}-${latency}ms`,
        'projects/s',
        times.map(ms => (projects * 1000) / ms),
        {
          projects,
          'times serial': rate / (rates.serial ?? rate),
          'times script': rate / (rates.script ?? rate)
        }
      )
    } finally {
      await index.stop()
    }
  }
  const ours = (concurrency: number) => async (index: { indexUrl: string }) => {
    const catalog = await newCatalog(folder)
    const report = await syncAll(catalog, { indexUrl: index.indexUrl, concurrency })
    await catalog.close()
    return report.packages.present
  }
  await run('serial', sizes.serial, latency === 0 ? 5 : 1, ours(1))
  await run('script', sizes.script, 5, index => script(index.indexUrl, sizes.script, folder))
  await run('sync', sizes.sync, 9, ours(CONCURRENCY))
  await run('bare', sizes.sync, 9, ({ origin }) =>
    bareLoop({ origin, projects: sizes.sync, concurrency: CONCURRENCY })
  )
  const { serial = 0, sync = 0, script: scripted = 0 } = rates
  if (latency === 0) bench.atLeast('sync at 0 ms, times the script', sync / scripted, 8)
  else bench.atLeast(`sync at ${latency} ms and 64 in flight, times serial`, sync / serial, 55)
}

interface SimpleFile {
  readonly filename: string
  readonly url: string
  readonly hashes: Record<string, string>
  readonly 'requires-python': string | null
  readonly 'upload-time': string | null
  readonly 'core-metadata': unknown
  readonly size: number
  readonly yanked: boolean | string
}

/** What a Node developer writes first; every line of it is in somebody's tutorial. */
async function script(indexUrl: string, projects: number, folder: string): Promise<number> {
  const filename = join(folder, 'script.db')
  await rm(filename, { force: true })
  const knex = knexModule({ client: 'sqlite3', connection: { filename }, useNullAsDefault: true })
  await knex.schema.createTable('packages', table => {
    table.increments('id')
    for (const column of [
      'project',
      'filename',
      'url',
      'sha256',
      'requires_python',
      'upload_time',
      'metadata'
    ])
      table.text(column)
    table.bigInteger('size')
    table.text('yanked')
    table.unique(['project', 'filename'])
  })
  const limit = limiter(CONCURRENCY)
  const one = async (name: string) => {
    const response = await fetch(`${indexUrl}${name}/`, {
      headers: { accept: 'application/vnd.pypi.simple.v1+json' }
    })
    const { files } = (await response.json()) as { files: SimpleFile[] }
    await knex.batchInsert(
      'packages',
      files.map(file => ({
        project: name,
        filename: file.filename,
        url: file.url,
        sha256: file.hashes.sha256 ?? null,
        requires_python: file['requires-python'],
        upload_time: file['upload-time'],
        metadata: JSON.stringify(file['core-metadata']),
        size: file.size,
        yanked: String(file.yanked)
      })),
      // Of ten columns; more rows would pass SQLite's limits.
      90
    )
  }
  await Promise.all(Array.from({ length: projects }, (_, at) => limit(() => one(madeUpName(at)))))
  const [row] = await knex('packages').count({ rows: '*' })
  await knex.destroy()
  return Number(row?.rows)
}

/** Starts at most `concurrency` calls at once, as p-limit does. */
function limiter(concurrency: number): <T>(work: () => Promise<T>) => Promise<T> {
  let active = 0
  const queue: (() => void)[] = []
  return async work => {
    if (active >= concurrency) await new Promise<void>(resolve => queue.push(resolve))
    else active++
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next === undefined) active--
      else next()
    }
  }
}
