/**
 * Workers killed while they work, the database restarted in the middle, a worker cut off from it, and the process that
 * laid the flow down killed: the sync finishes, complete, once. `MILLRACE_KILLS=20` for more of them.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { clusterSync } from '../../streams/cluster-sync.js'
import { startCli } from '../helpers/cli.js'
import { startWorker, type WorkerProcess } from '../helpers/cluster.js'
import { indexServer } from '../helpers/index-server.js'
import { emptyDatabase, ownServer } from '../helpers/postgres.js'
import { random } from '../helpers/random.js'
import { type SyncSetup, syncAt } from '../helpers/sync.js'
import { tcpProxy } from '../helpers/tcp-proxy.js'

// The server is stopped here, and so must be ours.
delete process.env.DATABASE_URL

const KILLS = Number(process.env.MILLRACE_KILLS ?? 8)
const PROJECTS = 160
/** More than three workers come to while others are started and killed, however slow that is. */
const MANY = 60 * KILLS

t.setTimeout(240_000 + KILLS * 15_000)

async function setUp(t: Test, options: { latencyMs: number; projects: number }) {
  const index = await indexServer(t, { files: 3, fileBytes: 300, ...options })
  const folder = t.testdir()
  const setup = syncAt(await emptyDatabase(t), join(folder, 'store'), index)
  return { index, folder, setup }
}

/** Starts a worker that loses its shard soon after it is lost, at a catalog that may be behind a proxy. */
function start(t: Test, { store }: SyncSetup, catalog: string, folder: string): WorkerProcess {
  return startWorker(t, ['--catalog', catalog, '--store', store, '--lost-after', '2'], folder)
}

/** What there is to be compared of a catalog whose syncs took other ways to it. */
async function content({ packages, stored }: SyncSetup): Promise<unknown> {
  return [await packages(), [...(await stored())].sort()]
}

/** The same, synced by one process that nothing befalls. */
async function undisturbed(t: Test, { index }: SyncSetup, folder: string): Promise<unknown> {
  const setup = syncAt(await emptyDatabase(t), join(folder, 'store-undisturbed'), index)
  await setup.run({ prereleases: true, policy: 'immediate' })
  return await content(setup)
}

t.test('workers killed, the database restarted, a worker cut off', async t => {
  const { index, folder, setup } = await setUp(t, { latencyMs: 400, projects: MANY })
  const server = await ownServer()
  const { below, pick } = random(8)
  const direct = new URL(setup.catalog)
  const proxy = await tcpProxy(t, { host: direct.hostname, port: Number(direct.port) })
  const behind = new URL(direct)
  behind.port = String(proxy.port)
  const cutOff = start(t, setup, behind.href, folder)
  let workers = Array.from({ length: 3 }, () => start(t, setup, setup.catalog, folder))
  let ended = false
  const syncing = clusterSync({
    ...{ catalog: setup.catalog, store: setup.store, indexUrl: index.indexUrl, shards: 10 },
    ...{ policy: 'immediate', prereleases: true, concurrency: 1, downloadConcurrency: 2 }
  }).finally(() => {
    ended = true
  })
  await cutOff.says(/shard \d+ begun/)
  proxy.mute()
  for (let kill = 1; kill <= KILLS; kill++) {
    const victim = pick(workers)
    await Promise.race([victim.says(/shard \d+ begun/), syncing])
    await sleep(below(700))
    await victim.end('SIGKILL')
    workers = [...workers.filter(worker => worker !== victim), start(t, setup, setup.catalog, folder)]
    if (kill === Math.floor(KILLS / 2)) {
      await server.halt('crash')
      await sleep(300)
      await server.start()
      proxy.heal()
    }
  }
  t.notOk(ended, 'all in the middle of it')
  index.latencyMs = 0
  const report = await syncing
  t.match(report, {
    ...{ version: 1, changed: true, failures: { length: 0 } },
    projects: { listed: MANY, fetched: MANY, unchanged: 0, failed: 0 },
    packages: { seen: MANY * 3, kept: MANY * 3, added: MANY * 3, present: MANY * 3 }
  })
  t.equal(report.files.downloaded + report.files.reused, MANY * 3)
  t.match(await setup.open(catalog => catalog.runs('pypi')), [{ id: 1, state: 'done', version: 1 }])
  t.strictSame(await setup.rows('SELECT * FROM shards'), [])
  t.strictSame(await content(setup), await undisturbed(t, setup, folder))
  t.match(await cutOff.end(), { status: 0 }, 'the one that was cut off is there again')
})

t.test('the flow goes on when the process that laid it down is killed', async t => {
  const { index, folder, setup } = await setUp(t, { latencyMs: 200, projects: PROJECTS })
  const args = ['--catalog', setup.catalog, '--store', setup.store, '--index-url', index.indexUrl]
  const options = ['--policy', 'immediate', '--prereleases', '--concurrency', '1']
  const { child, result } = startCli(['sync', '--cluster', '--shards', '6', ...args, ...options], folder)
  const worker = start(t, setup, setup.catalog, folder)
  await worker.says(/shard \d+ begun/)
  child.kill('SIGKILL')
  await result
  index.latencyMs = 0
  await worker.says(/commit done/)
  t.match(await setup.open(catalog => catalog.runs('pypi')), [
    {
      state: 'done',
      version: 1,
      report: { projects: { fetched: PROJECTS }, packages: { present: PROJECTS * 3 } }
    }
  ])
  t.strictSame(await content(setup), await undisturbed(t, setup, folder))
  t.match(await setup.run({ policy: 'immediate', prereleases: true }), {
    ...{ version: 1, changed: false },
    projects: { unchanged: PROJECTS }
  })
})

t.test('a sync that begins after that takes over, and goes on from what was saved', async t => {
  const { index, folder, setup } = await setUp(t, { latencyMs: 200, projects: PROJECTS })
  const args = ['--catalog', setup.catalog, '--store', setup.store, '--index-url', index.indexUrl]
  const options = ['--policy', 'immediate', '--prereleases', '--concurrency', '1']
  const sync = ['sync', '--cluster', '--json', '--shards', '6', ...args, ...options]
  const { child, result } = startCli(sync, folder)
  const worker = start(t, setup, setup.catalog, folder)
  await worker.says(/shard \d+ done/)
  child.kill('SIGKILL')
  await result
  const second = startCli(sync, folder)
  await worker.says(/run 1, shard \d+ failed: Run 1 has ended/)
  index.latencyMs = 0
  const { status, stdout } = await second.result
  t.equal(status, 0)
  const report = JSON.parse(stdout)
  t.match(report, { version: 1, changed: true, packages: { present: PROJECTS * 3 }, failures: { length: 0 } })
  t.ok(report.projects.unchanged > 0)
  t.equal(report.projects.unchanged + report.projects.fetched, PROJECTS)
  t.match(await setup.open(catalog => catalog.runs('pypi')), [{ state: 'done' }, { state: 'dead' }])
  t.strictSame(await content(setup), await undisturbed(t, setup, folder))
})
