/** The server goes away while a sync runs: in the middle of it, at its commit, for good. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Catalog } from '../../lib/catalog/catalog.js'
import { readNames, saveProjects, sdist } from '../helpers/catalog.js'
import { indexServer } from '../helpers/index-server.js'
import { emptyDatabase, ownServer } from '../helpers/postgres.js'
import { syncAt } from '../helpers/sync.js'
import { tcpProxy } from '../helpers/tcp-proxy.js'

// The server is stopped here, and so must be ours.
delete process.env.DATABASE_URL

t.test('restarted and crashed in the middle, the sync finishes, complete, once', async t => {
  const server = await ownServer()
  const index = await indexServer(t, { projects: 300, files: 10, latencyMs: 30 })
  const setup = syncAt(await emptyDatabase(t), join(t.testdir(), 'store'), index)
  const undisturbed = syncAt(await emptyDatabase(t), join(t.testdirName, 'store'), index)
  await undisturbed.run({ prereleases: true })
  const syncing = setup.run({ prereleases: true, concurrency: 8 })
  let ended = false
  void syncing.finally(() => {
    ended = true
  })
  const requests = () => index.stats().byKind.project ?? 0
  const before = requests()
  for (const [times, how] of (['fast', 'crash', 'fast'] as const).entries()) {
    while (requests() < before + 60 + 80 * times) await sleep(10)
    t.notOk(ended, 'in the middle')
    await server.halt(how)
    await sleep(250)
    await server.start()
  }
  const report = await syncing
  t.match(report, {
    version: 1,
    projects: { fetched: 300, failed: 0 },
    packages: { present: 3000 },
    failures: { length: 0 }
  })
  t.strictSame(await setup.packages(), await undisturbed.packages())
  t.match(await setup.open(catalog => catalog.runs('pypi')), [{ id: 1, state: 'done' }])
})

t.test('the connection lost at any statement of a run', async t => {
  const location = new URL(await emptyDatabase(t))
  const proxy = await tcpProxy(t, { host: location.hostname, port: Number(location.port) })
  location.port = String(proxy.port)
  const catalog = await Catalog.open(location.href)
  t.teardown(() => catalog.close())
  for (let at = 1, cut = true; cut; at++) {
    cut = false
    let left = at
    proxy.onRequest = () => {
      if (--left > 0) return
      proxy.onRequest = undefined
      cut = true
      proxy.cut()
      setTimeout(() => proxy.heal(), 20)
    }
    const run = await catalog.beginRun({ repository: 'x', mirror: true })
    await saveProjects(run, [sdist('a', `${at}`), sdist('b', '1')])
    await run.recordFailures([{ code: 'E', attempts: 1, message: 'no' }])
    t.match(await run.commit({ maxRemovals: 1 }), { version: at, present: 2 })
    await run.finish('done')
    t.strictSame(await readNames(catalog, 'x'), [`a-${at}.tar.gz`, 'b-1.tar.gz'])
    t.equal((await catalog.failures('x', run.id)).length, 1)
  }
})

t.test('who is cut off and taken for dead saves and commits nothing more', async t => {
  const location = new URL(await emptyDatabase(t))
  const other = await Catalog.open(location.href)
  t.teardown(() => other.close())
  const proxy = await tcpProxy(t, { host: location.hostname, port: Number(location.port) })
  location.port = String(proxy.port)
  const catalog = await Catalog.open(location.href)
  t.teardown(() => catalog.close())
  const lost = await catalog.beginRun({ repository: 'x' })
  await saveProjects(lost, [sdist('a', '1')])
  await t.rejects(other.beginRun({ repository: 'x' }), { code: 'ERR_MILLRACE_BUSY' })
  proxy.cut()
  let next: Awaited<ReturnType<Catalog['beginRun']>> | undefined
  while (next === undefined) next = await other.beginRun({ repository: 'x' }).catch(() => undefined)
  proxy.heal()
  const ended = { code: 'ERR_MILLRACE_RUN_ENDED', run: lost.id }
  await t.rejects(lost.savePackages([sdist('a', '2')]), ended)
  await t.rejects(lost.writeStates([{ project: 'a', outcome: 'fetched' }]), ended)
  await t.rejects(lost.commit(), ended)
  await lost.finish('failed')
  await saveProjects(next, [sdist('b', '1')])
  t.match(await next.commit(), { version: 1, added: 2 }, 'what the dead one left is gone on from')
  await next.finish('done')
})

t.test('a server that does not come back', async t => {
  const location = new URL(await emptyDatabase(t))
  const proxy = await tcpProxy(t, { host: location.hostname, port: Number(location.port) })
  location.port = String(proxy.port)
  location.username = 'postgres'
  location.password = 'secret'
  const catalog = await Catalog.open(location.href)
  proxy.cut()
  // A minute is a minute: whoever closes the catalog need not wait.
  const reading = catalog.repositories()
  await sleep(100)
  await catalog.close()
  const error = await reading.then(
    () => undefined,
    error => error
  )
  t.match(error, { code: 'ERR_MILLRACE_CATALOG', message: /cannot be reached/, catalog: /^postgres:\/\/127/ })
  t.notMatch(String(error.stack) + JSON.stringify(error), 'secret')
  await t.rejects(Catalog.open(location.href), { code: 'ERR_MILLRACE_CATALOG', message: /cannot be reached/ })
  await t.rejects(Catalog.exists(location.href), { code: 'ERR_MILLRACE_CATALOG' })
})
