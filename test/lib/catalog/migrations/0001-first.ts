import knexModule from 'knex'
import t from 'tap'
import { down, up } from '../../../../lib/catalog/migrations/0001-first.js'

t.test('makes the tables, and takes them away', async t => {
  const knex = knexModule({ client: 'sqlite3', connection: { filename: ':memory:' }, useNullAsDefault: true })
  t.teardown(() => knex.destroy())
  const tables = () =>
    knex('sqlite_schema').where('type', 'table').whereNot('name', 'sqlite_sequence').pluck('name')
  await up(knex)
  t.strictSame((await tables()).sort(), [
    'failures',
    'files',
    'origins',
    'packages',
    'progress',
    'projects',
    'repositories',
    'runs',
    'shards',
    'versions'
  ])
  const [{ sql }] = await knex('sqlite_schema').where('name', 'packages').select('sql')
  t.match(sql, /autoincrement/, 'an id is never used again')
  await down(knex)
  t.strictSame(await tables(), [])
})
