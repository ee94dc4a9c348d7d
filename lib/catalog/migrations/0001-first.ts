/**
 * The first schema. Times are ISO 8601 in UTC, as text; the model is described in `docs/architecture.md`.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  // Text is sorted and compared by its UTF-8 bytes, as SQLite does; PostgreSQL would go by a language.
  const type = knex.client.dialect === 'postgresql' ? 'text COLLATE "C"' : 'text'
  const text = (table: Knex.CreateTableBuilder, column: string) => table.specificType(column, type)

  await knex.schema.createTable('repositories', table => {
    table.increments('id')
    text(table, 'name').notNullable().unique()
    text(table, 'created_at').notNullable()
    // The run that was committed last: what later runs left is a draft.
    table.integer('committed_run').notNullable().defaultTo(0)
    // The highest packages.id at that time. Drafts are found above it, without an index on packages.added,
    // which would cost each insert.
    table.bigInteger('last_package').notNullable().defaultTo(0)
    // What the committed run had of the list of projects, as JSON, if the next run may ask for it on condition.
    text(table, 'listing')
  })

  await knex.schema.createTable('runs', table => {
    table.increments('id')
    table.integer('repository_id').notNullable().references('repositories.id')
    text(table, 'started_at').notNullable()
    text(table, 'finished_at')
    text(table, 'state').notNullable()
    table.boolean('mirror').notNullable()
    text(table, 'options').notNullable()
    text(table, 'options_key').notNullable()
    text(table, 'report')
    // The projects that the run's listing has, where several processes take part in it: a set of their ids.
    text(table, 'listed')
    // The version that was current when the run was committed.
    table.integer('version')
    table.index(['repository_id', 'id'])
  })

  await knex.schema.createTable('versions', table => {
    table.integer('repository_id').notNullable().references('repositories.id')
    table.integer('number').notNullable()
    text(table, 'created_at').notNullable()
    table.integer('run_id').notNullable()
    table.integer('added').notNullable()
    table.integer('removed').notNullable()
    table.integer('present').notNullable()
    // As repositories.last_package: the rows that a version added lie between its predecessor's and this.
    table.bigInteger('last_package').notNullable()
    table.primary(['repository_id', 'number'])
  })

  await knex.schema.createTable('projects', table => {
    table.increments('id')
    table.integer('repository_id').notNullable().references('repositories.id')
    text(table, 'project').notNullable()
    text(table, 'name').notNullable()
    text(table, 'url')
    table.bigInteger('serial')
    text(table, 'etag')
    text(table, 'last_modified')
    text(table, 'digest')
    text(table, 'status')
    text(table, 'status_reason')
    // The options under which the state above was had; under others the project is due again.
    text(table, 'options_key')
    // The last run that read the project's document whole: packages that it did not see are gone upstream.
    table.integer('fetched_run')
    // The last run that fetched the project or found it unchanged.
    table.integer('checked_run')
    // When the document was last read whole, and when it is due again because a filter held a file back until
    // then: milliseconds since 1970, to count with.
    table.bigInteger('read_at')
    table.bigInteger('held_until')
    // Whether upstream no longer lists it, so that it is not due by itself.
    table.boolean('gone').notNullable().defaultTo(false)
    // The run in which it failed, if it has not been settled since.
    table.integer('failed_run')
    table.unique(['repository_id', 'project'])
    table.index(['repository_id', 'fetched_run'])
  })

  await knex.schema.createTable('packages', table => {
    // Never used twice (AUTOINCREMENT, a sequence): see repositories.last_package. Of a sequence, a number goes for each
    // row that is tried.
    table.bigIncrements('id')
    table.integer('project_id').notNullable().references('projects.id')
    text(table, 'filename').notNullable()
    text(table, 'name').notNullable()
    text(table, 'version')
    text(table, 'url').notNullable()
    table.bigInteger('size')
    text(table, 'sha256')
    text(table, 'digests')
    text(table, 'package_type').notNullable()
    text(table, 'requires_python')
    text(table, 'yanked')
    text(table, 'upload_time')
    text(table, 'core_metadata')
    text(table, 'provenance')
    text(table, 'file')
    table.integer('seen_run').notNullable()
    table.integer('added').notNullable()
    table.integer('removed')
    // Key order is the order in which documents list their files, so inserts stay on a few pages; a digest as
    // key would touch a page a row, and cost a factor of three.
    table.unique(['project_id', 'filename', 'added'])
    // What a version removed. Only rows that are closed are in it, so that inserts do not touch it.
    table.index(['removed', 'id'], 'packages_removed', { predicate: knex.whereNotNull('removed') })
  })

  await knex.schema.createTable('files', table => {
    text(table, 'sha256').notNullable().primary()
    table.bigInteger('size').notNullable()
    text(table, 'created_at').notNullable()
    // When the store's file was last read and found to be right; empty for never, so that the key sorts.
    text(table, 'verified_at').notNullable().defaultTo('')
    table.index(['verified_at', 'sha256'])
  })

  await knex.schema.createTable('failures', table => {
    table.increments('id')
    table.integer('run_id').notNullable().references('runs.id')
    text(table, 'project')
    text(table, 'filename')
    text(table, 'url')
    text(table, 'code').notNullable()
    table.integer('attempts').notNullable()
    text(table, 'message').notNullable()
    table.index(['run_id'])
  })

  // What a run is doing, while it runs.
  await knex.schema.createTable('progress', table => {
    table.integer('run_id').notNullable().primary().references('runs.id')
    text(table, 'at').notNullable()
    text(table, 'state').notNullable()
  })

  // The parts of a run that several processes take part in, while it runs. Number 0 is what its listing was.
  await knex.schema.createTable('shards', table => {
    table.integer('run_id').notNullable().references('runs.id')
    table.integer('number').notNullable()
    // As JSON.
    text(table, 'projects').notNullable()
    text(table, 'report')
    // Who has it: another who takes it has another token.
    text(table, 'worker')
    text(table, 'token')
    text(table, 'done_at')
    table.primary(['run_id', 'number'])
  })

  // What the processes of a cluster may ask of an origin together: when the next request may start, and until when
  // none may, in milliseconds since 1970.
  await knex.schema.createTable('origins', table => {
    text(table, 'origin').notNullable().primary()
    table.double('next_slot').notNullable()
    table.double('paused_until').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  const tables = [
    ...['origins', 'shards', 'progress', 'failures', 'files', 'packages'],
    ...['projects', 'versions', 'runs', 'repositories']
  ]
  for (const table of tables) await knex.schema.dropTable(table)
}
