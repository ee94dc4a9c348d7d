/**
 * The statements that make a version: all of them in one transaction, so that a version is there whole or not
 * at all.
 *
 * While version N is the newest, a run saves rows with `added = N + 1`. Nobody sees them until the row of
 * version N + 1 is there.
 */
import { RemovalsError, RunEndedError } from '../errors.js'
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
  /** Why what is gone upstream was kept all the same; only where that is more than `maxRemovals`. */
  readonly kept?: RemovalsError | undefined
}

/** What is committed. */
export interface Commit {
  readonly runId: number
  readonly repository: string
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
  /** Rows of the newest version that were closed already. @defaultValue 0 */
  readonly closed?: number | undefined
  /** Whether to remove what upstream no longer has. */
  readonly mirror: boolean
  /** The ids of all projects that upstream has; `undefined` when that is not known. */
  readonly listed: Bitset | undefined
  /** Largest share of the packages that may be removed because their projects are gone; see {@link removeGone}. */
  readonly maxRemovals: number
}

/** So many projects may always go, if not all that there are. */
const FEW_PROJECTS = 5

/** Projects whose ids are read at once when the unlisted are looked for. */
const PAGE_PROJECTS = 10_000

/**
 * SQL for whether a package is of a repository. The plus keeps PostgreSQL from going through the whole repository for each
 * package, which it does where it takes the packages for few: its statistics know nothing of new rows.
 */
export const OF_REPOSITORY = `EXISTS (
  SELECT 1 FROM projects WHERE projects.id = packages.project_id AND +projects.repository_id = ?)`

/** The draft rows of a repository: ids above those of the last commit are few, where an index would cost each insert. */
const DRAFTS = `packages.id > ? AND packages.added = ? AND ${OF_REPOSITORY}`

/** Makes the version that the drafts and, with `mirror`, the removals amount to; none when that is nothing. */
export async function commitVersion(connection: Connection, commit: Commit, now: string): Promise<Committed> {
  const { repositoryId, base } = commit
  const next = base + 1
  const drafts = [commit.lastPackage, next, repositoryId]
  let removed = commit.closed ?? 0
  // From here on nothing more is saved, and nobody else commits.
  const ended = await connection.run(
    `UPDATE runs SET state = 'done', finished_at = ? WHERE id = ? AND state = 'running'`,
    now,
    commit.runId
  )
  if (ended === 0) throw new RunEndedError(commit.runId)

  if (commit.drafts) {
    // A draft of an unfinished run that a later reading of its project no longer saw.
    await connection.run(
      `DELETE FROM packages WHERE ${DRAFTS} AND EXISTS (
         SELECT 1 FROM projects WHERE projects.id = packages.project_id
           AND fetched_run > packages.seen_run)`,
      ...drafts
    )
  }
  const gone = await removeGone(connection, commit)
  removed += gone.removed
  const [count] = await connection.all<{ added: number }>(
    `SELECT count(*) AS added FROM packages WHERE ${DRAFTS}`,
    ...drafts
  )
  const added = (count as { added: number }).added
  if (commit.present > 0 && added > 0) {
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

  const { version, changed, present } = await writeVersion(connection, commit, added, removed, now)
  return {
    version,
    changed,
    added,
    removed,
    present,
    ...(gone.kept === undefined ? {} : { kept: gone.kept })
  }
}

/** Makes the row of the version, if anything changed, and ends the run with it. */
async function writeVersion(
  connection: Connection,
  commit: Commit,
  added: number,
  removed: number,
  now: string
): Promise<Pick<Committed, 'version' | 'changed' | 'present'>> {
  const { repositoryId, runId, base } = commit
  const changed = added + removed > 0
  const present = commit.present + added - removed
  // As far as this transaction sees: what others insert later has higher ids, if it is of this repository.
  const [last] = await connection.all<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM packages')
  const lastPackage = Math.max(commit.lastPackage, (last as { id: number }).id)
  if (changed) {
    await connection.run(
      `INSERT INTO versions (repository_id, number, created_at, run_id, added, removed, present, last_package)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      repositoryId,
      base + 1,
      now,
      runId,
      added,
      removed,
      present,
      lastPackage
    )
  }
  await connection.run(
    'UPDATE repositories SET committed_run = ?, last_package = ? WHERE id = ?',
    runId,
    lastPackage,
    repositoryId
  )
  const version = changed ? base + 1 : base
  await connection.run('UPDATE runs SET version = ? WHERE id = ?', version, runId)
  return { version, changed, present }
}

/**
 * Closes the rows of what upstream no longer has, unless so much is gone that it looks like a listing cut short or
 * an index that has lost its way: when projects without which the repository would be left hold more than
 * `maxRemovals` of its packages. Files that go while their project stays are not counted: `keepLatest` replaces
 * files by the thousand.
 */
async function removeGone(
  connection: Connection,
  commit: Commit
): Promise<Pick<Committed, 'removed' | 'kept'>> {
  const { listed, present, repository, maxRemovals, mirror } = commit
  await connection.run('SAVEPOINT gone')
  let removed = listed === undefined ? 0 : await removeUnlisted(connection, commit, listed)
  if (present > 0 && mirror) removed += await removeUnseen(connection, commit)
  const lost = removed > maxRemovals * present ? await lostProjects(connection, commit) : undefined
  if (lost !== undefined && lost.packages > maxRemovals * present) {
    const all = lost.packages === present
    if (lost.projects > FEW_PROJECTS || (all && lost.projects > 1)) {
      await connection.run('ROLLBACK TO gone')
      await connection.run('RELEASE gone')
      await askAgain(connection, commit)
      return { removed: 0, kept: new RemovalsError(repository, lost.packages, lost.projects, maxRemovals) }
    }
  }
  await connection.run('RELEASE gone')
  return { removed }
}

/** The projects of which nothing is left, and the packages they had. */
async function lostProjects(
  connection: Connection,
  { base, repositoryId }: Commit
): Promise<{ packages: number; projects: number }> {
  const [lost] = await connection.all<{ packages: number; projects: number }>(
    `SELECT count(*) AS packages, count(DISTINCT project_id) AS projects FROM packages
     WHERE removed = ? AND ${OF_REPOSITORY} AND NOT EXISTS (
         SELECT 1 FROM packages AS other WHERE other.project_id = packages.project_id AND other.removed IS NULL)`,
    base + 1,
    repositoryId
  )
  return lost as { packages: number; projects: number }
}

/** Makes projects due of which something is gone, so that the next run finds out again whether it is. */
async function askAgain(connection: Connection, commit: Commit): Promise<void> {
  await connection.run(
    `UPDATE projects SET options_key = NULL WHERE id IN (SELECT packages.project_id ${UNSEEN})`,
    ...unseen(commit)
  )
}

/** The rows of projects read whole since the last commit that the reading did not see. */
const UNSEEN = `FROM projects CROSS JOIN packages ON packages.project_id = projects.id
  WHERE projects.repository_id = ? AND projects.fetched_run > ? AND projects.failed_run IS NULL
    AND packages.removed IS NULL AND packages.added <= ? AND packages.seen_run < projects.fetched_run`

function unseen({ repositoryId, committedRun, base }: Commit): [number, number, number] {
  return [repositoryId, committedRun, base]
}

/** Closes those rows. */
async function removeUnseen(connection: Connection, commit: Commit): Promise<number> {
  return await connection.run(
    `UPDATE packages SET removed = ? WHERE id IN (SELECT packages.id ${UNSEEN})`,
    commit.base + 1,
    ...unseen(commit)
  )
}

/**
 * Marks projects that upstream does not list, but not those that failed in this run. With `mirror`, closes their rows and forgets
 * their drafts.
 */
async function removeUnlisted(connection: Connection, commit: Commit, listed: Bitset): Promise<number> {
  const ids = connection.dialect.values('?', 'bigint')
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
    if (gone !== '[]' && commit.mirror) {
      removed += await connection.run(
        `UPDATE packages SET removed = ? WHERE project_id IN ${ids}
           AND removed IS NULL AND added <= ?`,
        commit.base + 1,
        gone,
        commit.base
      )
      await connection.run(`DELETE FROM packages WHERE project_id IN ${ids} AND added > ?`, gone, commit.base)
    }
    // Should one come back, the state it had is no longer what the catalog holds.
    if (gone !== '[]') {
      await connection.run(
        `UPDATE projects SET options_key = NULL, failed_run = NULL, gone = true
         WHERE id IN ${ids} AND (NOT gone OR failed_run IS NOT NULL)`,
        gone
      )
    }
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE_PROJECTS) return removed
    after = last.id
  }
}
