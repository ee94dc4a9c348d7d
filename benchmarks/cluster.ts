/**
 * What do more workers bring, and what does a cluster of one cost?
 *
 * Isolates: files, at an index that gives each client 5 MB/s, by 1, 2 and 4 workers, each in its own process; and a metadata
 * sync by one process beside the same by a cluster of one worker, both on PostgreSQL.
 * Floor: the bytes at 5 MB/s a worker; the plain run.
 *
 *     npm run bench -- cluster
 *     npm run bench -- cluster --only=cost --merge
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Report } from '../lib/report.js'
import { Catalog, type ClusterSyncOptions, clusterSync, sync } from '../streams/index.js'
import { type PostgresServer, startPostgres } from '../test/helpers/postgres-server.js'
import { type Bench, type Benchmark, median, walls } from './harness/bench.js'
import { spawnIndexServer } from './index-server/spawn.js'

const BYTES_PER_SECOND = 5_000_000
const [SHARE, COST] = [0.9, 1.1]
const main = fileURLToPath(
  new URL(`./cluster-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
)

export const cluster: Benchmark = {
  name: 'cluster',
  question: 'What do more workers bring, and what does a cluster of one cost?',
  isolates:
    'Files of 1 MB at an index that gives each client 5 MB/s; and a metadata sync of documents with 12 files, each into a repository of its own. Workers, each a process, have done a smaller sync before; they, the index and PostgreSQL (which does not wait for the disk) share one machine. Statements are those of catalog and queue, of all connections together.',
  floor: 'the bytes at 5 MB/s a worker; one process without a cluster.',
  minutes: 5,
  async run(bench) {
    const server = await startPostgres()
    try {
      if (bench.wants('files')) await scaling(bench, server)
      if (bench.wants('cost')) await cost(bench, server)
    } finally {
      await server.stop()
    }
  }
}

async function scaling(bench: Bench, server: PostgresServer): Promise<void> {
  const [projects, bytes] = [bench.size(480, 8), bench.size(1_000_000, 10_000)]
  const served = { files: 1, 'client-bytes-per-second': bench.size(BYTES_PER_SECOND, 1_000_000) }
  const index = await spawnIndexServer({ ...served, projects, 'file-bytes': bytes })
  const small = await spawnIndexServer({ ...served, projects: bench.size(240, 8), 'file-bytes': 5000 })
  const options = { policy: 'immediate', prereleases: true, downloadConcurrency: 8, shards: 24 } as const
  try {
    for (const count of bench.quick ? [2] : [1, 2, 4]) {
      const workers = await startWorkers(bench, server, count)
      await workers.sync({ ...options, indexUrl: small.indexUrl, repository: 'warm-up' })
      const before = await statementMs(workers.catalog)
      const { ms, report } = await workers.sync({ ...options, indexUrl: index.indexUrl })
      const cpuMs = await workers.end()
      const catalogMs = (await statementMs(workers.catalog)) - before
      bench.check(`files, ${count} workers`, report.files.downloaded, projects)
      const idealMs = ((projects * bytes) / (BYTES_PER_SECOND * count)) * 1000
      bench.row(`files-${count}`, 's', [ms / 1000], {
        'ideal s': Math.round(idealMs / 100) / 10,
        'of the ideal': Math.round((idealMs / ms) * 1000) / 1000,
        'CPU s of the workers': Math.round(cpuMs / 100) / 10,
        's of statements': Math.round(catalogMs / 10) / 100
      })
      bench.atLeast(`files by ${count} workers, of 5 MB/s each`, idealMs / ms, SHARE)
    }
  } finally {
    await index.stop()
    await small.stop()
  }
}

async function cost(bench: Bench, server: PostgresServer): Promise<void> {
  const projects = bench.size(20_000, 40)
  const { indexUrl, stop } = await spawnIndexServer({
    ...{ projects, files: 12, 'file-bytes': 'none', latency: 10, 'no-gzip': true }
  })
  const workers = await startWorkers(bench, server, 1)
  let turn = 0
  try {
    const { plain, one } = await bench.sample(
      {
        plain: async () => {
          const { catalog, store } = workers
          const report = await sync({ catalog, store, indexUrl, repository: `plain-${turn}` })
          bench.check('projects, plain', report.projects.fetched, projects)
        },
        one: async () => {
          const { report } = await workers.sync({ indexUrl, shards: 16, repository: `one-${turn++}` })
          bench.check('projects, cluster', report.projects.fetched, projects)
        }
      },
      { samples: 3 }
    )
    bench.row('cost-plain', 's', walls(plain).map(inSeconds), { projects })
    bench.row('cost-cluster-of-one', 's', walls(one).map(inSeconds), { projects })
    bench.atMost('a cluster of one, of the plain run', median(walls(one)) / median(walls(plain)), COST)
  } finally {
    await workers.end()
    await stop()
  }
}

const inSeconds = (ms: number) => ms / 1000

interface Workers {
  readonly catalog: string
  readonly store: string
  /** Syncs by them. */
  sync(options: Omit<ClusterSyncOptions, 'catalog' | 'store'>): Promise<{ ms: number; report: Report }>
  /** Ends them. Gives the CPU time that they took, in ms. */
  end(): Promise<number>
}

/** Starts so many workers on a new database. They stay, as workers do: what they take to start is no part of a sync. */
async function startWorkers(bench: Bench, server: PostgresServer, count: number): Promise<Workers> {
  const catalog = await database(server)
  const store = join(await bench.folder(), 'store')
  await (await Catalog.open(catalog)).close()
  const workers = Array.from({ length: count }, (_, at) => {
    const child = spawn(process.execPath, [...process.execArgv, main, catalog, store, `client-${at}`], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    return { child, said: text(child.stdout), ended: once(child, 'exit') }
  })
  await ready(catalog, count)
  return {
    catalog,
    store,
    async sync(options) {
      const start = performance.now()
      const report = await clusterSync({ ...options, catalog, store })
      return { ms: performance.now() - start, report }
    },
    async end() {
      let cpuMs = 0
      for (const { child, said, ended } of workers) {
        child.stdin.end()
        await ended
        cpuMs += (JSON.parse(await said) as { cpuMs: number }).cpuMs
      }
      return cpuMs
    }
  }
}

let databases = 0

async function database({ url }: PostgresServer): Promise<string> {
  const name = `bench_${databases++}`
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  const location = new URL(url)
  location.pathname = `/${name}`
  return location.href
}

/** What the statements of a database have taken so far, those of the queue in it too, in ms; late by a second. */
async function statementMs(catalog: string): Promise<number> {
  const client = new pg.Client(catalog)
  await client.connect()
  const { rows } = await client.query(
    'SELECT active_time FROM pg_stat_database WHERE datname = current_database()'
  )
  await client.end()
  return Number(rows[0].active_time)
}

/** Waits until so many workers listen at the queue. */
async function ready(catalog: string, workers: number): Promise<void> {
  const client = new pg.Client(catalog)
  await client.connect()
  for (;;) {
    const { rows } = await client.query(
      `SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'millrace:w:%'`
    )
    if (Number(rows[0].count) >= workers) break
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  await client.end()
}
