/**
 * The migrations, in order, as modules: knex would otherwise read a folder, which is elsewhere once compiled.
 */
import type { Knex } from 'knex'
import * as first from './migrations/0001-first.js'

const MIGRATIONS: ReadonlyMap<string, Knex.Migration> = new Map([['0001-first', first]])

const source: Knex.MigrationSource<string> = {
  getMigrations: async () => [...MIGRATIONS.keys()],
  getMigrationName: name => name,
  getMigration: async name => MIGRATIONS.get(name) as Knex.Migration
}

/** How the schema of a database compares with this code's. */
export async function schemaState(knex: Knex): Promise<'current' | 'older' | 'newer'> {
  if (!(await knex.schema.hasTable('knex_migrations'))) return 'older'
  const done = new Set<string>(await knex('knex_migrations').pluck('name'))
  for (const name of done) if (!MIGRATIONS.has(name)) return 'newer'
  return done.size === MIGRATIONS.size ? 'current' : 'older'
}

/** Brings the schema up to date. To be called by one process at a time. */
export async function migrate(knex: Knex): Promise<void> {
  const config = { migrationSource: source }
  // knex's own lock is a row: a process that was killed in a migration leaves it locked for ever.
  await knex.migrate.forceFreeMigrationsLock(config)
  await knex.migrate.latest(config)
}
