/**
 * The statements that make a version with the content of an older one.
 */
import type { Connection } from './database.js'
import { COMPARED_COLUMNS, PACKAGE_COLUMNS } from './rows.js'

/** SQL for whether a row of `table` is part of the version that is the binding `at`. */
function visible(table: string, at: string): string {
  return `(${table}.added <= ${at} AND (${table}.removed IS NULL OR ${table}.removed > ${at}))`
}

/** SQL for: the other version has the file in the same state. */
function unchanged(at: string): string {
  const same = COMPARED_COLUMNS.map(column => `other.${column} IS NOT DISTINCT FROM packages.${column}`).join(
    ' AND '
  )
  return `EXISTS (SELECT 1 FROM packages AS other
    WHERE other.project_id = packages.project_id AND other.filename = packages.filename
      AND ${visible('other', at)} AND ${same})`
}

const OF_REPOSITORY = 'project_id IN (SELECT id FROM projects WHERE repository_id = ?1)'

/**
 * Makes drafts of what version `target` has otherwise than version `base`, and closes what only `base` has.
 * Returns how many rows were closed. The projects concerned are due again: what their validators stand for is
 * no longer what the repository has.
 */
export async function restoreVersion(
  connection: Connection,
  { repositoryId, runId, base, target }: { repositoryId: number; runId: number; base: number; target: number }
): Promise<number> {
  const columns = PACKAGE_COLUMNS.join(', ')
  await connection.run(
    `INSERT INTO packages (${columns}, seen_run, added)
     SELECT ${columns}, CAST(?2 AS integer), CAST(?3 AS integer) + 1 FROM packages
     WHERE ${OF_REPOSITORY} AND ${visible('packages', '?4')} AND NOT ${visible('packages', '?3')}
       AND NOT ${unchanged('?3')}`,
    repositoryId,
    runId,
    base,
    target
  )
  const removed = await connection.run(
    `UPDATE packages SET removed = CAST(?2 AS integer) + 1
     WHERE ${OF_REPOSITORY} AND ${visible('packages', '?2')} AND NOT EXISTS (
       SELECT 1 FROM packages AS other WHERE other.project_id = packages.project_id
         AND other.filename = packages.filename AND ${visible('other', '?3')})`,
    repositoryId,
    base,
    target
  )
  await connection.run(
    `UPDATE projects SET options_key = NULL WHERE repository_id = ?1 AND id IN (
       SELECT project_id FROM packages WHERE added = CAST(?2 AS integer) + 1 OR removed = CAST(?2 AS integer) + 1)`,
    repositoryId,
    base
  )
  return removed
}
