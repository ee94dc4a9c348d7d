/**
 * The statements on runs: how one begins, and what is written down of it.
 */
import type { Failure, Report } from '../report.js'
import type { Connection } from './database.js'
import type { RunBase } from './run.js'

/** How a run ended. One that ended without a word is `dead`. */
export type RunState = 'done' | 'failed' | 'interrupted'

interface RepositoryRow {
  readonly committed_run: number
  readonly last_package: number
  readonly base: number
  readonly present: number
}

/** Makes the row of a run, and tidies up after those that were not committed. Under the repository's lock. */
export async function beginRun(
  connection: Connection,
  asked: Pick<RunBase, 'repository' | 'repositoryId' | 'optionsKey' | 'mirror' | 'keys' | 'fullCheckMs'>,
  options: string,
  now: string
): Promise<RunBase> {
  const { repositoryId, optionsKey, mirror } = asked
  const [repository] = await connection.all<RepositoryRow>(
    `SELECT committed_run, repositories.last_package, coalesce(number, 0) AS base, coalesce(present, 0) AS present
     FROM repositories LEFT JOIN versions ON repository_id = id
     WHERE id = ? ORDER BY number DESC LIMIT 1`,
    repositoryId
  )
  const {
    committed_run: committedRun,
    last_package: lastPackage,
    base,
    present
  } = repository as RepositoryRow
  // Whatever seems to run is dead: it would hold the lock.
  await connection.run(
    `UPDATE runs SET state = 'dead', finished_at = ? WHERE repository_id = ? AND state = 'running'`,
    now,
    repositoryId
  )
  const unfinished = await connection.all<{ options_key: string }>(
    'SELECT DISTINCT options_key FROM runs WHERE repository_id = ? AND id > ?',
    repositoryId,
    committedRun
  )
  if (unfinished.length > 0) {
    // Drafts had under other options go, and with them what their projects' validators stand for.
    await connection.run(
      `UPDATE projects SET options_key = NULL, fetched_run = NULL, checked_run = NULL
       WHERE repository_id = ? AND checked_run IN (
         SELECT id FROM runs WHERE repository_id = ? AND id > ? AND options_key <> ?)`,
      repositoryId,
      repositoryId,
      committedRun,
      optionsKey
    )
    // So do those of projects that were not settled.
    await connection.run(
      `DELETE FROM packages WHERE id > ? AND added = ? AND EXISTS (
         SELECT 1 FROM projects WHERE projects.id = packages.project_id AND repository_id = ?
           AND (checked_run IS NULL OR checked_run <= ?))`,
      lastPackage,
      base + 1,
      repositoryId,
      committedRun
    )
  }
  const [run] = await connection.all<{ id: number }>(
    `INSERT INTO runs (repository_id, started_at, state, mirror, options, options_key)
     VALUES (?, ?, 'running', ?, ?, ?) RETURNING id`,
    repositoryId,
    now,
    mirror ? 1 : 0,
    options,
    optionsKey
  )
  const files = await connection.all('SELECT 1 FROM files LIMIT 1')
  return {
    ...asked,
    id: (run as { id: number }).id,
    base,
    present,
    committedRun,
    lastPackage,
    drafts: unfinished.length > 0,
    resumed: unfinished.some(row => row.options_key === optionsKey),
    files: files.length > 0
  }
}

/** Notes how a run ended. */
export async function finishRun(
  connection: Connection,
  id: number,
  state: RunState,
  report: unknown,
  now: string
): Promise<void> {
  await connection.run(
    'UPDATE runs SET state = ?, finished_at = ?, report = ? WHERE id = ?',
    state,
    now,
    report === undefined ? null : JSON.stringify(report),
    id
  )
}

/** Notes what a run could not have. */
export async function insertFailures(
  connection: Connection,
  runId: number,
  failures: readonly Failure[]
): Promise<void> {
  await connection.run(
    `INSERT INTO failures (run_id, project, filename, url, code, attempts, message)
     SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)`,
    runId,
    JSON.stringify(
      failures.map(({ project, filename, url, code, attempts, message }) => [
        project,
        filename,
        url,
        code,
        attempts,
        message
      ])
    )
  )
}

/** A run, as it is listed. */
export interface RunInfo {
  readonly id: number
  readonly startedAt: string
  readonly finishedAt: string | undefined
  /** `running`: under way, or ended without a word and not yet found out. */
  readonly state: RunState | 'running' | 'dead'
  /** The version that was current when the run was committed. */
  readonly version: number | undefined
  readonly durationMs: number | undefined
  /** What it was asked to do, without credentials. */
  readonly options: unknown
  readonly report: RunReport | undefined
}

/** A report as a run's row has it: its failures are rows of their own. */
export type RunReport = Omit<Report, 'failures'> & { readonly failures: number }

interface RunRow {
  readonly id: number
  readonly started_at: string
  readonly finished_at: string | null
  readonly state: RunInfo['state']
  readonly version: number | null
  readonly options: string
  readonly report: string | null
}

/** The newest runs of a repository, newest first. */
export async function readRuns(
  connection: Connection,
  repositoryId: number,
  limit: number
): Promise<RunInfo[]> {
  const rows = await connection.all<RunRow>(
    `SELECT id, started_at, finished_at, state, version, options, report FROM runs
     WHERE repository_id = ? ORDER BY id DESC LIMIT ?`,
    repositoryId,
    limit
  )
  return rows.map(row => ({
    id: row.id,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    state: row.state,
    version: row.version ?? undefined,
    durationMs:
      row.finished_at === null ? undefined : Date.parse(row.finished_at) - Date.parse(row.started_at),
    options: JSON.parse(row.options),
    report: row.report === null ? undefined : (JSON.parse(row.report) as RunReport)
  }))
}

/** What a run of a repository could not have. */
export async function readFailures(
  connection: Connection,
  repositoryId: number,
  runId: number
): Promise<Failure[]> {
  const rows = await connection.all<{ [K in keyof Failure]: Failure[K] | null }>(
    `SELECT code, project, filename, url, attempts, message FROM failures
     WHERE run_id = (SELECT id FROM runs WHERE id = ? AND repository_id = ?) ORDER BY failures.id`,
    runId,
    repositoryId
  )
  return rows.map(row => ({
    code: String(row.code),
    project: row.project ?? undefined,
    filename: row.filename ?? undefined,
    url: row.url ?? undefined,
    attempts: Number(row.attempts),
    message: String(row.message)
  }))
}
