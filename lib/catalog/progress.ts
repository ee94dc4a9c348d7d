/**
 * The statements on what a run is doing: one small row while it runs, which other processes read.
 */
import type { Progress } from '../progress.js'
import type { Connection } from './database.js'
import { encodeJson } from './json.js'

/** A run under way, and what it was last heard to be doing. */
export interface RunProgress {
  /** Of its row in `runs`. */
  readonly run: number
  readonly startedAt: string
  /** When it said so; `undefined` where it has not said anything yet. */
  readonly at: string | undefined
  readonly progress: Progress | undefined
}

/** Says what a run is doing, in place of what it said before. */
export async function writeProgress(
  connection: Connection,
  runId: number,
  progress: Progress,
  now: string
): Promise<void> {
  await connection.run(
    `INSERT INTO progress (run_id, at, state) VALUES (?, ?, ?)
     ON CONFLICT (run_id) DO UPDATE SET at = excluded.at, state = excluded.state`,
    runId,
    now,
    encodeJson(progress)
  )
}

/** Forgets what the runs of a repository were doing that are over. */
export async function clearProgress(connection: Connection, repositoryId: number): Promise<void> {
  await connection.run(
    `DELETE FROM progress WHERE run_id IN (
       SELECT id FROM runs WHERE repository_id = ? AND state <> 'running')`,
    repositoryId
  )
}

/** The run of a repository that is under way, or seems to be; `undefined` where there is none. */
export async function readProgress(
  connection: Connection,
  repositoryId: number
): Promise<RunProgress | undefined> {
  const [row] = await connection.all<{
    id: number
    started_at: string
    at: string | null
    progress: string | null
  }>(
    `SELECT runs.id, started_at, at, progress.state AS progress FROM runs LEFT JOIN progress ON run_id = runs.id
     WHERE repository_id = ? AND runs.state = 'running' ORDER BY runs.id DESC LIMIT 1`,
    repositoryId
  )
  if (row === undefined) return undefined
  return {
    run: row.id,
    startedAt: row.started_at,
    at: row.at ?? undefined,
    progress: row.progress === null ? undefined : (JSON.parse(row.progress) as Progress)
  }
}
