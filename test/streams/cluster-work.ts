import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ShardQueue } from '../../lib/cluster/queue.js'
import { work } from '../../streams/cluster-work.js'
import { clusterSetup } from '../helpers/cluster.js'
import { emptyDatabase } from '../helpers/postgres.js'
import { addProject } from '../helpers/sync.js'

t.test('bad options', async t => {
  const bad = (options: object, option: string) =>
    t.rejects(work({ catalog: 'postgres://127.0.0.1:1/x', ...options }), {
      code: 'ERR_MILLRACE_OPTION',
      option
    })
  await bad({ catalog: 'millrace.db' }, 'catalog')
  await bad({ lostAfterMs: 999 }, 'lostAfterMs')
  await bad({ catalog: await emptyDatabase(t), queue: 'x' }, 'queue')
})

t.test('one that is told to end before it began', async t => {
  const catalog = await emptyDatabase(t)
  const report = await work({ catalog, store: t.testdir(), signal: AbortSignal.abort() })
  t.match(report, { shards: 0, commits: 0 })
})

t.test('takes shards and commits, with what is its own', async t => {
  const { run, worker, index } = await clusterSetup(t, { files: 2, fileBytes: 10 })
  const asked: string[] = []
  const one = worker({
    own(url) {
      asked.push(url.href)
      return { headers: { 'x-worker': 'one' }, concurrency: 1 }
    }
  })
  const report = await run({ policy: 'immediate', prereleases: true })
  t.match(await one.end(), {
    ...{ shards: 4, commits: 1 },
    counts: { projects: { fetched: 12 }, files: { downloaded: report.files.downloaded } }
  })
  t.strictSame(new Set(asked), new Set([index.indexUrl]))
  t.strictSame(one.errors, [])
  const outcomes = one.events.map(({ shard, outcome }) => `${shard ?? 'commit'} ${outcome}`)
  t.strictSame(outcomes.slice(-2), ['commit begun', 'commit done'])
  t.match(one.events[0], { run: 1, repository: 'pypi', outcome: 'begun' })
})

t.test('a shard is given back by one that is told to end, and done by another', async t => {
  const { run, worker, names, index } = await clusterSetup(t, { latencyMs: 400 })
  const first = worker()
  const running = run({ concurrency: 1 })
  await first.next('begun')
  // In the middle of it.
  while (index.requests('/simple/').length < 3) await sleep(20)
  await first.end()
  t.equal(first.events.at(-1)?.outcome, 'given back')
  index.latencyMs = 0
  const second = worker()
  t.match(await running, {
    changed: true,
    projects: { listed: 12, fetched: 12, unchanged: 0 },
    failures: { length: 0 }
  })
  t.match(await second.end(), { shards: 4 })
  t.equal(new Set(await names()).size, (await names()).length)
})

t.test('a job is tried again where that may help, and a shard ended twice counts once', async t => {
  const { run, worker, store } = await clusterSetup(t)
  let failures = 0
  const one = worker({
    own() {
      if (failures++ < 2) throw new Error('not yet')
      return {}
    }
  })
  t.match(await run({ store }), { projects: { listed: 12, fetched: 12 }, failures: { length: 0 } })
  t.equal(one.events.filter(({ outcome }) => outcome === 'failed').length, 2)
  t.match(one.events.find(({ outcome }) => outcome === 'failed')?.error, { message: 'not yet' })
})

t.test('one that always fails is told of when it was tried often enough', async t => {
  const { run, worker, index } = await clusterSetup(t, { projects: 1 })
  const one = worker({
    own() {
      throw new Error('never')
    }
  })
  await t.rejects(run({ shards: 1 }), { code: 'ERR_MILLRACE_CLUSTER', message: /never/ })
  t.equal(one.events.filter(({ outcome }) => outcome === 'failed').length, 5)
  t.equal(index.stats().byKind.project, 0)
})

t.test('a run that ended meanwhile ends its shards', async t => {
  const { run, worker, rows, index } = await clusterSetup(t, { latencyMs: 200 })
  const one = worker()
  const running = t.rejects(run({ concurrency: 1, shards: 1 }), { code: 'ERR_MILLRACE_RUN_ENDED' })
  await one.next('begun')
  while (index.requests('/simple/').length < 2) await sleep(20)
  await rows(`UPDATE runs SET state = 'dead'`)
  t.match(await one.next('failed'), { shard: 1, error: { code: 'ERR_MILLRACE_RUN_ENDED' } })
  await running
  t.ok(index.stats().byKind.project < 12, 'in the middle of it')
})

t.test('jobs that were done already, by a worker that could not say so any more', async t => {
  const { catalog, run, worker, open, rows } = await clusterSetup(t)
  const one = worker()
  await run()
  const [last] = await open(found => found.runs('pypi', 1))
  const queue = await ShardQueue.open(catalog)
  t.teardown(() => queue.close())
  await queue.add(Number(last?.id), 1)
  t.match(await one.next('failed'), { shard: 1, error: { code: 'ERR_MILLRACE_RUN_ENDED' } })
  const before = one.events.length
  const running = open(async found => {
    const begun = await found.beginRun({ repository: 'pypi', options: { indexUrl: 'https://x/' } })
    await rows(
      `INSERT INTO shards (run_id, number, projects, done_at) VALUES (${begun.id}, 1, '[]', 'now'), (${begun.id}, 0, '[]', 'now')`
    )
    await rows(`UPDATE shards SET report = '${JSON.stringify({ ...REPORT, listing: { complete: false } })}'`)
    await queue.add(begun.id, 1)
    while ((await found.shards.state(begun.id)).state !== 'done') await sleep(20)
    return begun.id
  })
  const id = await running
  await queue.add(id, 0)
  const job = queue.queue
  while ((await job.getJobCounts('waiting', 'active')).waiting !== 0) await sleep(20)
  while ((await job.getJobCounts('active')).active !== 0) await sleep(20)
  t.match(
    one.events.slice(before).map(({ shard, outcome }) => [shard, outcome]),
    [
      [1, 'begun'],
      [1, 'done'],
      [undefined, 'begun'],
      [undefined, 'done']
    ],
    'the commit that was done is none again'
  )
  t.match(await one.end(), { shards: 4, commits: 2 })
})

const REPORT = {
  unsure: false,
  counts: {
    ...{ repository: 'pypi', version: 0, changed: false, durationMs: 0, failures: 0 },
    projects: { listed: 0, fetched: 0, unchanged: 0, missing: 0, failed: 0 },
    packages: { seen: 0, kept: 0, added: 0, removed: 0, present: 0 },
    files: { downloaded: 0, reused: 0, failed: 0, bytes: 0 }
  }
}

t.test('a shard that another has by now is left to that one', async t => {
  const { run, worker, open, index } = await clusterSetup(t, { latencyMs: 300 })
  const one = worker()
  const running = run({ concurrency: 1, shards: 1 })
  const { run: id } = await one.next('begun')
  while (index.requests('/simple/').length < 2) await sleep(20)
  // As another does to which the queue gave the shard.
  await open(catalog => catalog.shards.take(id, 1, 'other'))
  t.match(await one.next('failed'), { error: { code: 'ERR_MILLRACE_CLUSTER' } })
  index.latencyMs = 0
  t.match(await running, { projects: { listed: 12, fetched: 12 }, failures: { length: 0 } })
})

t.test('a queue that cannot be reached', async t => {
  const { catalog, store } = await clusterSetup(t)
  const queue = new URL(catalog)
  queue.port = '1'
  await t.rejects(work({ catalog, store, queue: queue.href }), { code: 'ERR_MILLRACE_CLUSTER' })
})

t.test('a project that is added while it works waits for the next sync', async t => {
  const { run, worker, index } = await clusterSetup(t)
  worker()
  await run()
  addProject(index, 'later', '1')
  t.match(await run(), { version: 2, projects: { listed: 13, fetched: 1, unchanged: 12 } })
})
