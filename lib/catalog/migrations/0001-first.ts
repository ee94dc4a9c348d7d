/**
 * The first schema. Times are ISO 8601 in UTC, as text; the model is described in `docs/architecture.md`.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('repositories', table => {
    table.increments('id')
    table.text('name').notNullable().unique()
    table.text('created_at').notNullable()
    // The run that was committed last: what later runs left is a draft.
    table.integer('committed_run').notNullable().defaultTo(0)
    // The highest packages.id at that time. Drafts are found above it, without an index on packages.added,
    // which would cost each insert.
    table.bigInteger('last_package').notNullable().defaultTo(0)
    // What the committed run had of the list of projects, as JSON, if the next run may ask for it on condition.
    table.text('listing')
  })

  await knex.schema.createTable('runs', table => {
    table.increments('id')
    table.integer('repository_id').notNullable().references('repositories.id')
    table.text('started_at').notNullable()
    table.text('finished_at')
    table.text('state').notNullable()
    table.boolean('mirror').notNullable()
    table.text('options').notNullable()
    table.text('options_key').notNullable()
    table.text('report')
    // The version that was current when the run was committed.
    table.integer('version')
    table.index(['repository_id', 'id'])
  })

  await knex.schema.createTable('versions', table => {
    table.integer('repository_id').notNullable().references('repositories.id')
    table.integer('number').notNullable()
    table.text('created_at').notNullable()
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
    table.text('project').notNullable()
    table.text('name').notNullable()
    table.text('url')
    table.bigInteger('serial')
    table.text('etag')
    table.text('last_modified')
    table.text('digest')
    table.text('status')
    table.text('status_reason')
    // The options under which the state above was had; under others the project is due again.
    table.text('options_key')
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
    // Never used twice (AUTOINCREMENT, a sequence): see repositories.last_package.
    table.increments('id')
    table.integer('project_id').notNullable().references('projects.id')
    table.text('filename').notNullable()
    table.text('name').notNullable()
    table.text('version')
    table.text('url').notNullable()
    table.bigInteger('size')
    table.text('sha256')
    table.text('digests')
    table.text('package_type').notNullable()
    table.text('requires_python')
    table.text('yanked')
    table.text('upload_time')
    table.text('core_metadata')
    table.text('provenance')
    table.text('file')
    table.integer('seen_run').notNullable()
    table.integer('added').notNullable()
    table.integer('removed')
    // Key order is the order in which documents list their files, so inserts stay on a few pages; a digest as
    // key would touch a page a row, and cost a factor of three.
    table.unique(['project_id', 'filename', 'added'])
  })

  await knex.schema.createTable('files', table => {
    table.text('sha256').notNullable().primary()
    table.bigInteger('size').notNullable()
    table.text('created_at').notNullable()
    // When the store's file was last read and found to be right; empty for never, so that the key sorts.
    table.text('verified_at').notNullable().defaultTo('')
    table.index(['verified_at', 'sha256'])
  })

  await knex.schema.createTable('failures', table => {
    table.increments('id')
    table.integer('run_id').notNullable().references('runs.id')
    table.text('project')
    table.text('filename')
    table.text('url')
    table.text('code').notNullable()
    table.integer('attempts').notNullable()
    table.text('message').notNullable()
    table.index(['run_id'])
  })
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['failures', 'files', 'packages', 'projects', 'versions', 'runs', 'repositories']) {
    await knex.schema.dropTable(table)
  }
}
