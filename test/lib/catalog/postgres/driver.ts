import t from 'tap'
import { connect, run } from '../../../../lib/catalog/postgres/connection.js'
import { PostgresDriver } from '../../../../lib/catalog/postgres/driver.js'
import { emptyDatabase } from '../../../helpers/postgres.js'
import { tcpProxy } from '../../../helpers/tcp-proxy.js'

t.test('an empty database is no catalog, and becomes one', async t => {
  const location = await emptyDatabase(t)
  const driver = new PostgresDriver(location, 1)
  t.notMatch(driver.location, 'postgres@', 'the user is not shown')
  t.notOk(await driver.exists())
  const session = await driver.session()
  t.equal(await driver.identify(session), 'empty')
  await driver.claim(session)
  await session.run('CREATE TABLE knex_migrations (a integer)')
  t.equal(await driver.identify(session), 'catalog')
  await session.release()
  t.ok(await driver.exists())
  const release = await driver.lock('1', 0)
  t.equal(await new PostgresDriver(location, 1).lock('1', 0), undefined)
  await release?.()
  await driver.close()
  t.throws(() => new PostgresDriver('postgres://h:x/d', 1), { code: 'ERR_MILLRACE_OPTION' })
})

t.test('a server that is too old is refused', async t => {
  const driver = new PostgresDriver(await emptyDatabase(t), 1)
  t.teardown(() => driver.close())
  const client = { query: async () => ({ rows: [{ version: 12, catalog: 1, tables: 1 }] }) }
  await t.rejects(driver.identify({ client } as never), {
    code: 'ERR_MILLRACE_CATALOG',
    message: /older than 13/
  })
})

t.test('errors are told and tried again as the table says', async t => {
  const driver = new PostgresDriver(await emptyDatabase(t), 1)
  const error = Object.assign(new Error('x'), { code: '57P01' })
  t.match(driver.reason(error), /cannot be reached/)
  t.equal(driver.retryAfter(error, 1, 0), 100)
  await driver.close()
})

t.test('a COMMIT that has no answer', async t => {
  const location = new URL(await emptyDatabase(t))
  const proxy = await tcpProxy(t, { host: location.hostname, port: Number(location.port) })
  const beside = await connect(location.href)
  t.teardown(() => beside.end())
  await run(beside, 'CREATE SCHEMA millrace; CREATE TABLE x (a integer)')
  const elsewhere = new URL(location)
  elsewhere.pathname = '/postgres'
  location.port = String(proxy.port)
  const driver = new PostgresDriver(location.href, 1)
  t.teardown(() => driver.close())
  const insert = async (a: number) => {
    const session = await driver.session()
    try {
      await session.begin()
      await session.run('INSERT INTO x VALUES (?)', a)
      await session.commit()
    } finally {
      await session.rollback()
      await session.release()
    }
  }
  const count = (a: number) => run(beside, 'SELECT 1 FROM x WHERE a = ?', [a])

  await t.test('it was done: no error', async t => {
    proxy.onRequest = data => {
      if (!data.includes('COMMIT')) return
      proxy.onRequest = undefined
      proxy.mute()
      setTimeout(() => {
        proxy.cut()
        setTimeout(() => proxy.heal(), 300)
      }, 300)
    }
    await insert(1)
    t.equal(await count(1), 1)
  })

  await t.test('it never came there: an error that may be tried again', async t => {
    proxy.onRequest = data => {
      if (!data.includes('COMMIT')) return
      proxy.onRequest = undefined
      data.fill(0)
      proxy.cut()
      setTimeout(() => proxy.heal(), 300)
    }
    const error = await insert(2).then(
      () => undefined,
      error => error
    )
    t.equal(driver.retryAfter(error, 1, 0), 100)
    t.equal(await count(2), 0)
    await insert(2)
    t.equal(await count(2), 1)
  })

  await t.test('it is not known yet: it is waited for', async t => {
    // A constraint that is checked at the end, by a query that waits for a lock.
    await run(
      beside,
      `CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN PERFORM pg_advisory_xact_lock(99); RETURN NULL; END'`
    )
    await run(
      beside,
      'CREATE CONSTRAINT TRIGGER late AFTER INSERT ON x DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()'
    )
    await run(beside, 'SELECT pg_advisory_lock(99)')
    proxy.onRequest = data => {
      if (!data.includes('COMMIT')) return
      proxy.onRequest = undefined
      setTimeout(() => {
        proxy.cut()
        proxy.heal()
        proxy.onRequest = asked => {
          if (!asked.includes('pg_xact_status')) return
          proxy.onRequest = undefined
          setTimeout(() => void run(beside, 'SELECT pg_advisory_unlock(99)'), 150)
        }
      }, 100)
    }
    await insert(3)
    t.equal(await count(3), 1)
  })

  await t.test('nobody will tell', async t => {
    await run(beside, 'DROP TRIGGER late ON x')
    const admin = await connect(elsewhere.href)
    t.teardown(() => admin.end())
    proxy.onRequest = data => {
      if (!data.includes('COMMIT')) return
      proxy.onRequest = undefined
      proxy.cut()
      void run(admin, `ALTER DATABASE ${location.pathname.slice(1)} ALLOW_CONNECTIONS false`).then(proxy.heal)
    }
    await t.rejects(insert(4), { code: '55000' })
  })
})
