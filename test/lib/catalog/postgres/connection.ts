import t from 'tap'
import { all, claim, connect, identify, run, translate } from '../../../../lib/catalog/postgres/connection.js'
import { emptyDatabase } from '../../../helpers/postgres.js'

t.test('statements are written as PostgreSQL has them', async t => {
  t.equal(translate('SELECT ?, ? FROM a CROSS JOIN b ON c'), 'SELECT $1, $2 FROM a JOIN b ON c')
  t.equal(translate('SELECT ?2, ?10, ?1'), 'SELECT $2, $10, $1')
  t.equal(translate('SELECT ?2, ?10, ?1'), 'SELECT $2, $10, $1', 'the second time as well')
})

t.test('statements give rows, counts and errors', async t => {
  const client = await connect(await emptyDatabase(t))
  t.teardown(() => client.end())
  t.equal(await run(client, 'CREATE TEMPORARY TABLE x (a serial, b text, c boolean, d bigint)'), 0)
  t.equal(
    await run(client, 'INSERT INTO x (b, c, d) VALUES (?, ?, ?), (NULL, ?, 1)', ['1', 1, 2 ** 53 - 1, 0]),
    2
  )
  t.strictSame(
    await all(client, 'SELECT *, a > 1 AS more FROM x WHERE a > ? ORDER BY a', [0]),
    [
      { a: 1, b: '1', c: 1, d: 2 ** 53 - 1, more: 0 },
      { a: 2, b: null, c: 0, d: 1, more: 1 }
    ],
    'types are as SQLite has them'
  )
  t.strictSame(await all(client, 'SELECT sum(a) AS sum, count(*) AS count FROM x'), [{ sum: 3, count: 2 }])
  await t.rejects(run(client, 'nonsense'), { code: '42601' })
  await t.rejects(all(client, 'SELECT 1 / ?', [0]), { code: '22012' })
})

t.test('a connection is set up', async t => {
  const location = new URL(await emptyDatabase(t))
  const client = await connect(location.href)
  t.teardown(() => client.end())
  t.match(await all(client, 'SHOW search_path'), [{ search_path: 'millrace' }])
  t.match(await all(client, 'SHOW jit'), [{ jit: 'off' }])
  t.match(await all(client, 'SHOW application_name'), [{ application_name: 'millrace' }])
  t.match(await all(client, 'SHOW synchronous_commit'), [{ synchronous_commit: 'on' }])
  location.searchParams.set('application_name', 'theirs')
  location.searchParams.set('options', '-c synchronous_commit=off')
  const named = await connect(location.href)
  t.match(await all(named, 'SHOW application_name'), [{ application_name: 'theirs' }])
  t.match(await all(named, 'SHOW synchronous_commit'), [{ synchronous_commit: 'local' }])
  await named.end()
  location.pathname = '/none'
  await t.rejects(connect(location.href), { code: '3D000' })
})

t.test('a catalog is told from what else there may be', async t => {
  const client = await connect(await emptyDatabase(t))
  t.teardown(() => client.end())
  await run(client, 'CREATE TABLE public.theirs (a integer)')
  t.equal(await identify(client), 'empty', 'tables of others are in the way of nobody')
  await claim(client)
  await claim(client)
  t.equal(await identify(client), 'empty')
  await run(client, 'CREATE TABLE packages (a integer)')
  t.equal(await identify(client), 'foreign')
  await run(client, 'CREATE TABLE knex_migrations (a integer)')
  t.equal(await identify(client), 'catalog')
  const old = { query: async () => ({ rows: [{ version: 12, catalog: 1, tables: 1 }] }) }
  t.equal(await identify(old as unknown as typeof client), 'old')
})
