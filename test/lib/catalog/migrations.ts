import { join } from 'node:path'
import knexModule, { type Knex } from 'knex'
import t, { type Test } from 'tap'
import { migrate, schemaState } from '../../../lib/catalog/migrations.js'

function open(t: Test): Knex {
  const knex = knexModule({
    client: 'sqlite3',
    connection: { filename: join(t.testdir(), 'x.db') },
    useNullAsDefault: true
  })
  t.teardown(() => knex.destroy())
  return knex
}

t.test('from nothing, and once more', async t => {
  const knex = open(t)
  t.equal(await schemaState(knex), 'older')
  await migrate(knex)
  t.equal(await schemaState(knex), 'current')
  await migrate(knex)
  t.equal(await schemaState(knex), 'current')
  await knex('knex_migrations').insert({ name: '9999', batch: 9, migration_time: 0 })
  t.equal(await schemaState(knex), 'newer')
})

t.test('after a process that was killed while it migrated', async t => {
  const knex = open(t)
  await migrate(knex)
  const { down } = await import('../../../lib/catalog/migrations/0001-first.js')
  await down(knex)
  await knex('knex_migrations').delete()
  await knex('knex_migrations_lock').update({ is_locked: 1 })
  t.equal(await schemaState(knex), 'older')
  await migrate(knex)
  t.equal(await schemaState(knex), 'current')
})
