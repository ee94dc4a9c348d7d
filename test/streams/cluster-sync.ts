import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type ClusterProgress, clusterSync } from '../../streams/cluster-sync.js'
import { clusterSetup } from '../helpers/cluster.js'
import { plainServer } from '../helpers/http.js'
import { addProject } from '../helpers/sync.js'

t.test('bad options, before anything is opened', async t => {
  const bad = (options: object, option: string) =>
    t.rejects(clusterSync({ catalog: 'postgres://127.0.0.1:1/x', ...options }), {
      code: 'ERR_MILLRACE_OPTION',
      option
    })
  await bad({ catalog: 'millrace.db' }, 'catalog')
  await bad({ shards: 0 }, 'shards')
  await bad({ shards: 10_001 }, 'shards')
  await bad({ policy: 'never' }, 'policy')
  await bad({ dryRun: true }, 'dryRun')
  await t.rejects(clusterSync({ catalog: 'postgres://127.0.0.1:1/x', signal: AbortSignal.abort() }), {
    name: 'AbortError'
  })
})

t.test('a queue that is none', async t => {
  const { run, open } = await clusterSetup(t)
  await t.rejects(run({ queue: 'http://x/' }), { code: 'ERR_MILLRACE_OPTION', option: 'queue' })
  t.strictSame(await open(catalog => catalog.repositories()), [])
})

t.test('workers do it, and this process tells how far they are', async t => {
  const { run, worker, open, index, packages } = await clusterSetup(t, { latencyMs: 300 })
  const told: ClusterProgress[] = []
  worker()
  const report = await run({
    concurrency: 1,
    onProgress: progress => void told.push(progress),
    prereleases: true
  })
  t.match(report, {
    ...{ repository: 'pypi', version: 1, changed: true, failures: { length: 0 } },
    projects: { listed: 12, fetched: 12 },
    packages: { seen: 36, kept: 36, added: 36, present: 36 }
  })
  t.equal((await packages()).length, 36)
  t.match(told[0], { listed: false, shards: 0 })
  t.match(told.at(-1), { listed: true, shards: 4 })
  t.ok(told.some(({ done, workers }) => done > 0 && workers === 1))
  t.ok(told.some(({ counts }) => counts.projects.listed === 12 && counts.projects.fetched > 0))
  t.match(await open(catalog => catalog.runs('pypi', 1)), [
    { state: 'done', options: { cluster: true, indexUrl: index.indexUrl, prereleases: true } }
  ])
})

t.test('others can read how far it is', async t => {
  const { run, open } = await clusterSetup(t)
  const stop = new AbortController()
  const running = run({ signal: stop.signal })
  const rejected = t.rejects(running, { name: 'AbortError' })
  await open(async catalog => {
    for (;;) {
      const repositories = await catalog.repositories()
      const found = repositories.length === 0 ? undefined : await catalog.progress('pypi')
      if (found?.progress?.cluster?.shards === 4) {
        t.match(found.progress, {
          listed: true,
          left: 12,
          cluster: { done: 0, workers: 0 },
          report: { failures: 0 }
        })
        break
      }
      await sleep(50)
    }
  })
  stop.abort()
  await rejected
})

t.test('with nothing due it needs no worker, and the next goes on from one that was stopped', async t => {
  const { run, worker, open, index } = await clusterSetup(t)
  const stop = new AbortController()
  const first = worker({
    onEvent: ({ shard, outcome }) => outcome === 'done' && shard !== undefined && stop.abort()
  })
  await t.rejects(run({ signal: stop.signal, concurrency: 1 }), { name: 'AbortError' })
  await first.end()
  t.match(await open(catalog => catalog.runs('pypi', 1)), [{ state: 'interrupted' }])
  const second = worker()
  const report = await run()
  t.match(report, { version: 1, projects: { listed: 12 }, failures: { length: 0 } })
  t.ok(report.projects.unchanged >= 3, 'a shard is done already')
  await second.end()
  index.reset()
  t.match(await run(), { version: 1, changed: false, projects: { listed: 12, unchanged: 12 } })
  t.equal(index.stats().requests, 1)
})

t.test('a shard that fails for good fails the sync, and says why', async t => {
  const { run, worker, index, open } = await clusterSetup(t)
  addProject(index, 'broken', '1')
  index.fault({ kind: 'status', status: 500, match: '/simple/broken/' })
  worker()
  await t.rejects(run({ strict: true, maxRetries: 0 }), {
    code: 'ERR_MILLRACE_CLUSTER',
    message: /status 500/
  })
  const [last] = await open(catalog => catalog.runs('pypi', 1))
  t.match(last, { state: 'failed' })
  t.match(await open(catalog => catalog.failures('pypi', Number(last?.id))), [
    { code: 'ERR_MILLRACE_STATUS', project: 'broken' }
  ])
  t.strictSame(await open(catalog => catalog.versions('pypi')), [])
})

t.test('what cannot be had is told, and the rest is there', async t => {
  const { run, worker, index } = await clusterSetup(t)
  addProject(index, 'broken', '1')
  addProject(index, 'absent', '1')
  index.fault({ kind: 'status', status: 500, match: '/simple/broken/' })
  index.fault({ kind: 'status', status: 404, match: '/simple/absent/' })
  worker()
  t.match(await run({ maxRetries: 0 }), {
    changed: true,
    projects: { listed: 14, fetched: 12, missing: 1, failed: 1 },
    failures: [{ code: 'ERR_MILLRACE_STATUS', project: 'broken', attempts: 1 }]
  })
})

t.test('an index that cannot be listed', async t => {
  const { run, index, open } = await clusterSetup(t)
  index.fault({ kind: 'status', status: 500, match: /simple.$/ })
  await t.rejects(run({ maxRetries: 0 }), { code: 'ERR_MILLRACE_STATUS' })
  t.match(await open(catalog => catalog.runs('pypi', 1)), [{ state: 'failed' }])
})

t.test('documents lie where the listing says', async t => {
  const { run, worker } = await clusterSetup(t)
  const { origin, requests } = await plainServer(t, ({ url }, response) => {
    response.setHeader('Content-Type', 'text/html')
    if (url === '/simple/') response.end('<a href="Foo_Bar/">Foo_Bar</a> <a href="baz/">baz</a>')
    else response.end(`<a href="${url === '/simple/baz/' ? 'baz' : 'foo_bar'}-1.0.tar.gz">x</a>`)
  })
  worker()
  const report = await run({ indexUrl: `${origin}/simple/`, policy: 'streamed' })
  t.match(report, { projects: { listed: 2, fetched: 2 }, packages: { added: 2 }, failures: { length: 0 } })
  t.strictSame(requests.map(({ url }) => url).sort(), ['/simple/', '/simple/Foo_Bar/', '/simple/baz/'])
})

t.test('another sync that takes the repository over ends this one', async t => {
  const { run, open, rows } = await clusterSetup(t)
  const running = t.rejects(run(), { code: 'ERR_MILLRACE_RUN_ENDED' })
  await open(async catalog => {
    while (!(await catalog.repositories()).includes('pypi')) await sleep(20)
    while ((await catalog.progress('pypi'))?.progress?.listed !== true) await sleep(20)
  })
  // As whoever begins a run does, when the lock is lost with its connection.
  await rows(`UPDATE runs SET state = 'dead'`)
  await running
})

t.test('one sync at a time; old versions go, and files that none needs', async t => {
  const { run, worker, index, open, stored } = await clusterSetup(t, {
    projects: 3,
    files: 1,
    fileBytes: 100
  })
  worker()
  await open(async catalog => {
    const other = await catalog.beginRun({ repository: 'pypi' })
    await t.rejects(run(), { code: 'ERR_MILLRACE_BUSY' })
    await other.finish('failed')
  })
  const options = {
    policy: 'immediate',
    mirror: true,
    keepVersions: 1,
    maxRemovals: 1,
    prereleases: true
  } as const
  await run(options)
  t.equal((await stored()).size, 3)
  const [first] = index.index.listing()
  index.index.remove(String(first?.name))
  t.match(await run(options), { version: 2, packages: { removed: 1, present: 2 } })
  t.equal((await stored()).size, 2)
  t.match(await open(catalog => catalog.versions('pypi')), [{ number: 2 }])
})
