/**
 * The statements on runs: how one begins, and what is written down of it.
 */

import { RunEndedError } from '../errors.js'
import type { Counts } from '../progress.js'
import type { Failure } from '../report.js'
import { Bitset } from './bitset.js'
import type { Connection } from './database.js'
import { encodeJson } from './json.js'
import { clearProgress } from './progress.js'
import type { RunBase } from './run.js'
import { clearShards } from './shards.js'

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
  await clearProgress(connection, repositoryId)
  await clearShards(connection, repositoryId)
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
    joined: false,
    drafts: unfinished.length > 0,
    resumed: unfinished.some(row => row.options_key === optionsKey),
    files: files.length > 0
  }
}

/** What a run starts from that another process began and that is under way. @throws {@link RunEndedError} */
export async function joinRun(
  connection: Connection,
  id: number,
  asked: (mirror: boolean) => Pick<RunBase, 'keys' | 'fullCheckMs'>
): Promise<RunBase> {
  const [row] = await connection.all<
    Omit<RunBase, 'mirror' | 'files' | 'drafts' | 'resumed'> & { mirror: number }
  >(
    `SELECT runs.id, repositories.name AS repository, repository_id AS "repositoryId", options_key AS "optionsKey",
       mirror, committed_run AS "committedRun", last_package AS "lastPackage",
       (SELECT coalesce(max(number), 0) FROM versions WHERE repository_id = repositories.id) AS base,
       (SELECT coalesce(max(present), 0) FROM versions WHERE repository_id = repositories.id
          AND number = (SELECT max(number) FROM versions WHERE repository_id = repositories.id)) AS present
     FROM runs CROSS JOIN repositories ON repositories.id = repository_id
     WHERE runs.id = ? AND state = 'running'`,
    id
  )
  if (row === undefined) throw new RunEndedError(id)
  const unfinished = await connection.all<{ options_key: string }>(
    'SELECT DISTINCT options_key FROM runs WHERE repository_id = ? AND id > ? AND id < ?',
    row.repositoryId,
    row.committedRun,
    id
  )
  const files = await connection.all('SELECT 1 FROM files LIMIT 1')
  const mirror = row.mirror === 1
  return {
    ...row,
    ...asked(mirror),
    mirror,
    joined: true,
    drafts: unfinished.length > 0,
    resumed: unfinished.some(({ options_key: key }) => key === row.optionsKey),
    files: files.length > 0
  }
}

/** Keeps which projects a run's listing has, for whoever commits it. */
export async function writeListed(connection: Connection, id: number, listed: Bitset): Promise<void> {
  await connection.run('UPDATE runs SET listed = ? WHERE id = ?', listed.toText(), id)
}

/** Which projects a run's listing has; `undefined` where that was not kept. */
export async function readListed(connection: Connection, id: number): Promise<Bitset | undefined> {
  const [row] = await connection.all<{ listed: string | null }>('SELECT listed FROM runs WHERE id = ?', id)
  return row === undefined || row.listed === null ? undefined : Bitset.fromText(row.listed)
}

/**
 * Makes sure that a run is under way, and that it stays so until the transaction ends: one that lost its lock may have
 * been taken for dead, and one of several processes may be told late that the run is committed.
 * @throws {@link RunEndedError}
 */
export async function holdRun(connection: Connection, id: number): Promise<void> {
  const found = await connection.all(
    `SELECT id FROM runs WHERE id = ? AND state = 'running' ${connection.dialect.forShare}`,
    id
  )
  if (found.length === 0) throw new RunEndedError(id)
}

/** Notes how a run ended. */
export async function finishRun(
  connection: Connection,
  { id, repositoryId }: Pick<RunBase, 'id' | 'repositoryId'>,
  state: RunState,
  report: unknown,
  now: string
): Promise<void> {
  await connection.run(
    'UPDATE runs SET state = ?, finished_at = ?, report = ? WHERE id = ?',
    state,
    now,
    report === undefined ? null : encodeJson(report),
    id
  )
  await clearProgress(connection, repositoryId)
  await clearShards(connection, repositoryId)
}

/** Ends a run under way; says whether it was. */
export async function cancelRun(
  connection: Connection,
  { id, repositoryId }: Pick<RunBase, 'id' | 'repositoryId'>,
  state: RunState,
  report: unknown,
  now: string
): Promise<boolean> {
  const ended = await connection.run(
    `UPDATE runs SET state = ?, finished_at = ?, report = ? WHERE id = ? AND state = 'running'`,
    ...[state, now, encodeJson(report), id]
  )
  await clearProgress(connection, repositoryId)
  await clearShards(connection, repositoryId)
  return ended > 0
}

/** A failure, as it is bound. */
const BOUND_FAILURE = {
  project: 'text',
  filename: 'text',
  url: 'text',
  code: 'text',
  attempts: 'bigint',
  message: 'text'
} as const

/** Notes what a run could not have. */
export async function insertFailures(
  connection: Connection,
  runId: number,
  failures: readonly Failure[]
): Promise<void> {
  await connection.run(
    `INSERT INTO failures (run_id, project, filename, url, code, attempts, message)
     SELECT CAST(? AS integer), project, filename, url, code, attempts, message
     FROM ${connection.dialect.records('?', BOUND_FAILURE)} AS given ORDER BY at`,
    runId,
    encodeJson(
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
  readonly report: Counts | undefined
}

/** A row of `runs`, as it is listed. */
export interface RunRow {
  readonly id: number
  readonly started_at: string
  readonly finished_at: string | null
  readonly state: RunInfo['state']
  readonly version: number | null
  readonly options: string
  readonly report: string | null
}

export const RUN_COLUMNS = 'id, started_at, finished_at, state, version, options, report'

/** The run of a row. */
export function decodeRun(row: RunRow): RunInfo {
  return {
    id: row.id,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    state: row.state,
    version: row.version ?? undefined,
    durationMs:
      row.finished_at === null ? undefined : Date.parse(row.finished_at) - Date.parse(row.started_at),
    options: JSON.parse(row.options),
    report: row.report === null ? undefined : (JSON.parse(row.report) as Counts)
  }
}

/** The newest runs of a repository, newest first. */
export async function readRuns(
  connection: Connection,
  repositoryId: number,
  limit: number
): Promise<RunInfo[]> {
  const rows = await connection.all<RunRow>(
    `SELECT ${RUN_COLUMNS} FROM runs WHERE repository_id = ? ORDER BY id DESC LIMIT ?`,
    repositoryId,
    limit
  )
  return rows.map(decodeRun)
}

type FailureRow = { readonly [K in keyof Failure]: Failure[K] | null }

export const FAILURE_COLUMNS = 'code, project, filename, url, attempts, message'

/** The failure of a row. */
export function decodeFailure(row: FailureRow): Failure {
  return {
    code: String(row.code),
    project: row.project ?? undefined,
    filename: row.filename ?? undefined,
    url: row.url ?? undefined,
    attempts: Number(row.attempts),
    message: String(row.message)
  }
}

/** What the last sync of a repository was asked to do, as JSON. */
export async function lastSyncOptions(
  connection: Connection,
  repositoryId: number
): Promise<string | undefined> {
  const [row] = await connection.all<{ options: string }>(
    `SELECT options FROM runs WHERE repository_id = ? AND ${connection.dialect.field('options', 'indexUrl')} IS NOT NULL
     ORDER BY id DESC LIMIT 1`,
    repositoryId
  )
  return row?.options
}

/** What a run of a repository could not have. */
export async function readFailures(
  connection: Connection,
  repositoryId: number,
  runId: number
): Promise<Failure[]> {
  const rows = await connection.all<FailureRow>(
    `SELECT ${FAILURE_COLUMNS} FROM failures
     WHERE run_id = (SELECT id FROM runs WHERE id = CAST(? AS bigint) AND repository_id = ?) ORDER BY failures.id`,
    runId,
    repositoryId
  )
  return rows.map(decodeFailure)
}
