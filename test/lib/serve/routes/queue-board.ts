import t from 'tap'
import { clusterSetup } from '../../../helpers/cluster.js'
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
  await t.rejects(serveSetup(t, setup, { queueBoard: 'http://x/' }), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'queueBoard'
  })
})
