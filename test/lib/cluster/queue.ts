import { once } from 'node:events'
import t, { type Test } from 'tap'
import { type ShardJob, ShardQueue } from '../../../lib/cluster/queue.js'
import { emptyDatabase } from '../../helpers/postgres.js'
import { needsRedis, startRedis } from '../../helpers/redis.js'

const settings = { name: 'one', lostAfterMs: 2000, onError() {} }

async function open(t: Test, location: string): Promise<ShardQueue> {
  const queue = await ShardQueue.open(location)
  t.teardown(() => queue.close())
  return queue
}

async function checkFlow(t: Test, location: string): Promise<void> {
  const queue = await open(t, location)
  const flow = await queue.add(7, 3)
  t.equal(await flow.failure(), undefined)
  const done: ShardJob[] = []
  const worker = await queue.worker(async job => void done.push(job.data), settings)
  while (done.length < 4) await once(worker, 'completed')
  t.strictSame(
    done.slice(0, 3).sort((a, b) => Number(a.shard) - Number(b.shard)),
    [
      { run: 7, shard: 1 },
      { run: 7, shard: 2 },
      { run: 7, shard: 3 }
    ]
  )
  t.strictSame(done[3], { run: 7 }, 'the commit is last')
  t.equal(await flow.failure(), undefined)
}

async function checkFailure(t: Test, location: string): Promise<void> {
  const queue = await open(t, location)
  const { UnrecoverableError } = await import('bullmq')
  const flow = await queue.add(8, 2)
  const worker = await queue.worker(async job => {
    if (job.data.shard === 1) throw new UnrecoverableError('no')
  }, settings)
  await once(worker, 'failed')
  while ((await flow.failure()) === undefined) await once(worker, 'completed')
  t.match(await flow.failure(), /failed/)
}

async function checkCancel(t: Test, location: string): Promise<void> {
  const queue = await open(t, location)
  const flow = await queue.add(9, 2)
  t.ok(queue.queue.emit('error', new Error('away')), 'a connection that is lost ends no process')
  await flow.cancel()
  t.match(await flow.failure(), /no longer/)
  t.strictSame(await queue.queue.getJobCounts('waiting', 'waiting-children'), {
    waiting: 0,
    'waiting-children': 0
  })
}

for (const [name, options, location] of [
  ['PostgreSQL', {}, emptyDatabase],
  ['Redis', needsRedis, startRedis]
] as const) {
  t.test(`on ${name}`, options, async t => {
    const at = await location(t)
    await t.test('shards, and then the commit', t => checkFlow(t, at))
    await t.test('a shard that fails for good fails the whole', t => checkFailure(t, at))
    await t.test('what nobody has begun is taken out', t => checkCancel(t, at))
  })
}

t.test('a location that is none', async t => {
  for (const location of ['millrace.db', 'http://x/', 'redis://[', 'postgres://['])
    await t.rejects(ShardQueue.open(location), { code: 'ERR_MILLRACE_OPTION' }, location)
})

t.test('a database that is not there', async t => {
  const location = new URL(await emptyDatabase(t))
  location.pathname = '/nowhere'
  const queue = await open(t, location.href)
  const away = { code: 'ERR_MILLRACE_CLUSTER', run: undefined, message: /queue cannot be reached: .*nowhere/ }
  await t.rejects(queue.add(1, 1), away)
  await t.rejects(
    queue.worker(async () => {}, settings),
    away
  )
})
