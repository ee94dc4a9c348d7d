import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { all, connect, run } from '../../../../lib/catalog/postgres/connection.js'
import { Locks } from '../../../../lib/catalog/postgres/lock.js'
import { emptyDatabase, ownServer } from '../../../helpers/postgres.js'

/** Ends the connections that hold locks, as a server does that is stopped. */
async function endHolders(location: string): Promise<void> {
  const client = await connect(location)
  const ended = await all(
    client,
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
  )
  await client.end()
  t.ok(ended.length > 0)
}

async function sessions(location: string): Promise<number> {
  const client = await connect(location)
  const rows = await all(
    client,
    'SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'
  )
  await client.end()
  return rows.length
}

t.test('one holds it, others are told or wait', async t => {
  const location = await emptyDatabase(t)
  const [one, two] = [new Locks(location), new Locks(location)]
  const release = await one.take('1', 0)
  t.type(release, 'function')
  t.equal(await two.take('1', 0), undefined)
  t.equal(await one.take('1', 0), undefined, 'not even the same process has it twice')
  const [other, opening] = [await two.take('2', 0), await one.take('open', 0)]
  t.type(other, 'function', 'another name is another lock')
  t.type(opening, 'function')
  t.equal(await two.take('open', 60), undefined)
  const waiting = two.take('1', 60_000)
  await release?.()
  const next = await waiting
  t.type(next, 'function')
  t.equal(await one.take('1', 0), undefined)
  for (const done of [next, next, other, opening, release]) await done?.()
  while ((await sessions(location)) > 0);
  t.pass('no connection is kept without a lock')
})

t.test('what other programs lock in the database is in nobody’s way', async t => {
  const location = await emptyDatabase(t)
  const client = await connect(location)
  t.teardown(() => client.end())
  await run(client, 'SELECT pg_advisory_lock(1), pg_advisory_lock(7, 1)')
  const release = await new Locks(location).take('1', 0)
  t.type(release, 'function')
  await release?.()
})

t.test('a connection that is lost is replaced, with its locks', async t => {
  const location = await emptyDatabase(t)
  const [one, two] = [new Locks(location), new Locks(location)]
  const releases = [await one.take('1', 0), await one.take('2', 0)]
  await endHolders(location)
  // Another may be quicker; soon it is not.
  for (const name of ['1', '2']) {
    while (true) {
      const stolen = await two.take(name, 0)
      if (stolen === undefined) break
      await stolen()
    }
  }
  for (const release of releases) await release?.()
  const next = await two.take('1', 1000)
  t.type(next, 'function', 'and is given back as ever')
  await endHolders(location)
  await next?.()
  const last = await one.take('2', 1000)
  t.type(last, 'function')
  await last?.()
})

t.test('a database that is not there', async t => {
  const location = new URL(await emptyDatabase(t))
  location.pathname = '/none'
  const locks = new Locks(location.href)
  await t.rejects(locks.take('1', 0), { code: '3D000' })
  await t.rejects(locks.take('1', 0), { code: '3D000' })
})

t.test('a database that is gone while a lock is held', async t => {
  const location = await emptyDatabase(t)
  const locks = new Locks(location)
  const release = await locks.take('1', 0)
  const elsewhere = new URL(location)
  elsewhere.pathname = '/postgres'
  const client = await connect(elsewhere.href)
  await run(client, `DROP DATABASE ${new URL(location).pathname.slice(1)} WITH (FORCE)`)
  await client.end()
  await t.rejects(locks.take('2', 0), { code: '3D000' })
  await release?.()
})

t.test('a server that is away for a while', async t => {
  const server = await ownServer()
  const [one, two] = [new Locks(server.url), new Locks(server.url)]
  const release = await one.take('1', 0)
  await server.halt()
  await sleep(500)
  await server.start()
  while (true) {
    const stolen = await two.take('1', 0).catch(() => undefined)
    if (stolen === undefined) break
    await stolen()
  }
  await release?.()
  const next = await two.take('1', 5000)
  t.type(next, 'function', 'it was held again, and is given back as ever')
  await next?.()
})
