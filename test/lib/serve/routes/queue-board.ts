import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { clusterSetup } from '../../../helpers/cluster.js'
import { execute } from '../../../helpers/database.js'
import { ask, serveSetup } from '../../../helpers/serve.js'

t.test('the queue of a cluster, to be looked at', async t => {
  const setup = await clusterSetup(t)
  const { worker, run, catalog } = setup
  const { end } = worker()
  await run()
  await end()
  const { get, head, origin, log } = await serveSetup(t, setup, { queueBoard: catalog })
  t.match((await get('/')).text, '<a href="-/queue/">')

  for (const path of ['/-/queue', '/-/queue/', '/-/queue/queue/millrace?status=failed']) {
    const { status, headers, text } = await get(path)
    t.equal(status, 200)
    t.match(headers, {
      'content-type': /^text\/html/,
      'content-security-policy': /^default-src 'none'; /,
      'x-content-type-options': 'nosniff'
    })
    t.match(text, '<title>Millrace</title>')
    t.match(text, '<base href="/-/queue/" />')
    const script = /src="(static\/js\/main[^"]+)"/.exec(text)?.[1]
    t.match(await head(`/-/queue/${script}`), { status: 200, text: '' })
  }

  const { queues } = JSON.parse((await get('/-/queue/api/queues?activeQueue=millrace&status=completed')).text)
  t.match(queues, [{ name: 'millrace', readOnlyMode: true, counts: { completed: 5, failed: 0 } }])
  t.strictSame(
    queues[0].jobs.map(({ name }: { name: string }) => name).sort(),
    ['commit', 'shard', 'shard', 'shard', 'shard'],
    'what was done can be seen'
  )
  t.equal((await get('/-/queue/static/../../../package.json')).status, 404)
  t.equal((await get('/-/queue/api/queues/none')).status, 404)
  t.equal((await ask(origin, '/-/queue/api/queues/millrace/pause', {}, 'PUT')).status, 405)
  t.strictSame(log, [])
})

t.test('none where none is asked for, and none of what is no queue', async t => {
  const setup = await clusterSetup(t)
  await setup.open(async () => {})
  const { get } = await serveSetup(t, setup)
  t.equal((await get('/-/queue/')).status, 404)
  t.notMatch((await get('/')).text, 'queue')
  const connections = async () => {
    const others = 'datname = current_database() AND pid <> pg_backend_pid()'
    const [row] = await execute<{ count: string }>(
      setup.catalog,
      `SELECT count(*) FROM pg_stat_activity WHERE ${others}`
    )
    return Number(row?.count)
  }
  const before = await connections()
  await t.rejects(serveSetup(t, setup, { queueBoard: 'http://x/' }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'queueBoard'
  })
  // The server notices a little later.
  for (let looks = 0; looks < 50 && (await connections()) > before; looks++) await sleep(20)
  t.ok((await connections()) <= before, 'what it had opened is closed')
})
