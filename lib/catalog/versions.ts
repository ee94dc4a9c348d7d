/**
 * The statements that make a version: all of them in one transaction, so that a version is there whole or not
 * at all.
 *
 * While version N is the newest, a run saves rows with `added = N + 1`. Nobody sees them until the row of
 * version N + 1 is there.
 */
import type { Bitset } from './bitset.js'
import type { Connection } from './database.js'

/** A repository version, as it is listed. */
export interface Version {
  readonly number: number
  readonly createdAt: string
  /** Packages that its predecessor has not, or not in this state. */
  readonly added: number
  /** Packages of its predecessor that it has not, or not in that state. */
  readonly removed: number
  readonly present: number
}

/** What {@link commitVersion} did. */
export interface Committed {
  /** The newest version now. */
  readonly version: number
  /** Whether a version was made. */
  readonly changed: boolean
  readonly added: number
  readonly removed: number
  readonly present: number
}

/** What is committed. */
export interface Commit {
  readonly runId: number
  readonly repositoryId: number
  /** The newest version when the run began. */
  readonly base: number
  /** Packages in that version. */
  readonly present: number
  /** `repositories.committed_run` and `last_package` when the run began. */
  readonly committedRun: number
  readonly lastPackage: number
  /** Whether there may be drafts of an earlier run. */
  readonly drafts: boolean
  /** Whether to remove what upstream no longer has. */
  readonly mirror: boolean
  /** The ids of all projects that upstream has; `undefined` when that is not known. */
  readonly listed: Bitset | undefined
}

/** Projects whose ids are read at once when the unlisted are looked for. */
const PAGE_PROJECTS = 50_000

/** The draft rows of a repository: ids above those of the last commit are few, where an index would cost each insert. */
const DRAFTS = `packages.id > ? AND packages.added = ?
  AND EXISTS (SELECT 1 FROM projects WHERE projects.id = packages.project_id AND projects.repository_id = ?)`

/** Makes the version that the drafts and, with `mirror`, the removals amount to; none when that is nothing. */
export async function commitVersion(connection: Connection, commit: Commit, now: string): Promise<Committed> {
  const { repositoryId, runId, base, mirror } = commit
  const next = base + 1
  const drafts = [commit.lastPackage, next, repositoryId]
  let removed = 0

  if (commit.drafts) {
    // A draft of an unfinished run that a later reading of its project no longer saw.
    await connection.run(
      `DELETE FROM packages WHERE ${DRAFTS} AND EXISTS (
         SELECT 1 FROM projects WHERE projects.id = packages.project_id
           AND fetched_run > packages.seen_run AND failed_run IS NULL)`,
      ...drafts
    )
  }
  if (mirror && commit.listed !== undefined) {
    removed += await removeUnlisted(connection, commit, commit.listed)
  }
  const [count] = await connection.all<{ added: number }>(
    `SELECT count(*) AS added FROM packages WHERE ${DRAFTS}`,
    ...drafts
  )
  const added = (count as { added: number }).added
  if (commit.present > 0) {
    if (added > 0) {
      removed += await connection.run(
        `UPDATE packages SET removed = ? WHERE id IN (
           SELECT old.id FROM packages
           CROSS JOIN packages AS old ON old.project_id = packages.project_id
             AND old.filename = packages.filename AND old.removed IS NULL AND old.added <= ?
           WHERE ${DRAFTS})`,
        next,
        base,
        ...drafts
      )
    }
    if (mirror) removed += await removeUnseen(connection, commit)
  }

  const changed = added + removed > 0
  const present = commit.present + added - removed
  const lastPackage = '(SELECT coalesce(max(id), 0) FROM packages)'
  if (changed) {
    await connection.run(
      `INSERT INTO versions (repository_id, number, created_at, run_id, added, removed, present, last_package)
       VALUES (?, ?, ?, ?, ?, ?, ?, ${lastPackage})`,
      repositoryId,
      next,
      now,
      runId,
      added,
      removed,
      present
    )
  }
  await connection.run(
    `UPDATE repositories SET committed_run = ?, last_package = max(last_package, ${lastPackage}) WHERE id = ?`,
    runId,
    repositoryId
  )
  const version = changed ? next : base
  await connection.run(
    `UPDATE runs SET state = 'done', finished_at = ?, version = ? WHERE id = ?`,
    now,
    version,
    runId
  )
  return { version, changed, added, removed, present }
}

/** Closes the rows of projects read whole since the last commit that the reading did not see. */
async function removeUnseen(
  connection: Connection,
  { base, repositoryId, committedRun }: Commit
): Promise<number> {
  return await connection.run(
    `UPDATE packages SET removed = ? WHERE id IN (
       SELECT packages.id FROM projects
       CROSS JOIN packages ON packages.project_id = projects.id
       WHERE projects.repository_id = ? AND projects.fetched_run > ? AND projects.failed_run IS NULL
         AND packages.removed IS NULL AND packages.added <= ? AND packages.seen_run < projects.fetched_run)`,
    base + 1,
    repositoryId,
    committedRun,
    base
  )
}

/** Closes the rows of projects that upstream does not list, and forgets their drafts; not of those that failed. */
async function removeUnlisted(connection: Connection, commit: Commit, listed: Bitset): Promise<number> {
  let removed = 0
  let after = 0
  while (true) {
    const page = await connection.all<{ id: number }>(
      // The plus keeps the database from sorting the whole repository for each page.
      `SELECT id FROM projects WHERE id > ? AND +repository_id = ? AND (failed_run IS NULL OR failed_run <> ?)
       ORDER BY id LIMIT ${PAGE_PROJECTS}`,
      after,
      commit.repositoryId,
      commit.runId
    )
    const gone = JSON.stringify(page.filter(({ id }) => !listed.has(id)).map(({ id }) => id))
    if (gone !== '[]') {
      removed += await connection.run(
        `UPDATE packages SET removed = ? WHERE project_id IN (SELECT value FROM json_each(?))
           AND removed IS NULL AND added <= ?`,
        commit.base + 1,
        gone,
        commit.base
      )
      await connection.run(
        'DELETE FROM packages WHERE project_id IN (SELECT value FROM json_each(?)) AND added > ?',
        gone,
        commit.base
      )
      // Should it come back, the state it had is no longer what the catalog holds.
      await connection.run(
        `UPDATE projects SET options_key = NULL
         WHERE id IN (SELECT value FROM json_each(?)) AND options_key IS NOT NULL`,
        gone
      )
    }
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE_PROJECTS) return removed
    after = last.id
  }
}
