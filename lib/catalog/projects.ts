/**
 * The statements on projects: their ids, what is known of them, and what a run found out.
 */
import type { Project, ProjectStatus } from '../pypi/package.js'
import type { Connection } from './database.js'
import type { ProjectKeys } from './project-keys.js'

/** What a run found out about a project. */
export interface ProjectState {
  /** Normalised name. */
  readonly project: string
  /**
   * `fetched`: its document was read whole, and each package is saved or was dropped; a project that upstream
   * has no longer is one without packages. `partial`: the same, but some records could not be used, so that a
   * package not seen may still be there. `unchanged`: upstream says so. `failed`: not had, due again.
   */
  readonly outcome: 'fetched' | 'partial' | 'unchanged' | 'failed'
  readonly name?: string | undefined
  readonly url?: string | undefined
  readonly serial?: number | undefined
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
  /** sha256 of the document. */
  readonly digest?: string | undefined
  readonly status?: ProjectStatus | undefined
  readonly statusReason?: string | undefined
  /** When the same document may have other packages, because a filter holds files back; in ms since 1970. */
  readonly heldUntil?: number | undefined
}

/** What a project needs to be known by: enough to make its row. */
export type ProjectName = Pick<Project, 'project' | 'name'> & { readonly url?: string | undefined }

/** A project as {@link findProjects} reports it. */
export interface FoundProject {
  /** Position in what was asked. */
  readonly at: number
  readonly id: number
  /** 1 when the project need not be fetched: its serial stands still, or an unfinished run of this kind settled it. */
  readonly unchanged: number | null
  readonly etag: string | null
  readonly lastModified: string | null
  readonly digest: string | null
}

/** The run for which projects are looked up. */
export interface LookupContext {
  readonly repositoryId: number
  readonly committedRun: number
  readonly keys: ProjectKeys
  /** How old the last whole reading of a document may be, in ms; `undefined` for any age. */
  readonly fullCheckMs: number | undefined
}

/**
 * SQL for whether a project's document was read whole not too long ago. The bindings are now, and twice the oldest
 * age. By its id a project is due between half that age and all of it, so that those that came in together are not
 * due together.
 */
export const READ_LATELY = '(?2 IS NULL OR read_at > ?1 - ?2 * (0.5 + (projects.id % 1000) / 2000.0))'

/** Finds those of `projects` that have a row. */
export async function findProjects(
  connection: Connection,
  projects: readonly Project[],
  { repositoryId, committedRun, keys, fullCheckMs }: LookupContext,
  now: number
): Promise<FoundProject[]> {
  // A project that failed, or was had under other options, is asked for without conditions: what its
  // validators stand for is not what the catalog has. So is one whose time has come.
  return await connection.all<FoundProject>(
    `WITH found AS (
       SELECT asked.key AS at, projects.*, asked.value ->> 1 AS listed_serial,
         failed_run IS NULL AND (held_until IS NULL OR held_until >= ?1) AND ${READ_LATELY}
           AND options_key IN (${keys.accepted.map((_, at) => `asked.value ->> 2 || ?${at + 6}`).join(', ')}) AS valid
       FROM json_each(?3) AS asked
       CROSS JOIN projects ON projects.repository_id = ?4 AND projects.project = asked.value ->> 0
     )
     SELECT at, id,
       valid AND CASE WHEN listed_serial IS NULL THEN checked_run > ?5 ELSE serial = listed_serial END AS unchanged,
       CASE WHEN valid THEN etag END AS etag,
       CASE WHEN valid THEN last_modified END AS lastModified,
       CASE WHEN valid THEN digest END AS digest
     FROM found`,
    now,
    fullCheckMs ?? null,
    JSON.stringify(projects.map(({ project, serial }) => [project, serial, keys.of(project)])),
    repositoryId,
    committedRun,
    ...keys.accepted
  )
}

/** The ids of those of `names` that have a row. */
export async function projectIds(
  connection: Connection,
  repositoryId: number,
  names: readonly string[]
): Promise<{ project: string; id: number }[]> {
  return await connection.all(
    `SELECT projects.project, projects.id FROM json_each(?) AS asked
     CROSS JOIN projects ON projects.repository_id = ? AND projects.project = asked.value`,
    JSON.stringify(names),
    repositoryId
  )
}

/** Makes rows for projects that have none. */
export async function insertProjects(
  connection: Connection,
  repositoryId: number,
  projects: readonly ProjectName[]
): Promise<{ project: string; id: number }[]> {
  return await connection.all(
    `INSERT INTO projects (repository_id, project, name, url)
     SELECT ?, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
     ON CONFLICT DO NOTHING
     RETURNING project, id`,
    repositoryId,
    JSON.stringify(projects.map(({ project, name, url }) => [project, name, url]))
  )
}

/**
 * Writes down what a run found out; every project has a row already. By their ids: asked for by name, SQLite puts the
 * projects first and the states second, and so goes through all projects once for each state.
 */
export async function writeStates(
  connection: Connection,
  states: readonly ProjectState[],
  ids: ReadonlyMap<string, { readonly id: number }>,
  run: { readonly id: number; readonly keys: ProjectKeys },
  now: number
): Promise<void> {
  // Of one that failed its spelling is written: it may be asked for next time without being listed.
  const failed = states
    .filter(state => state.outcome === 'failed')
    .map(({ project, name }) => [ids.get(project)?.id, name])
  if (failed.length > 0) {
    await connection.run(
      `UPDATE projects SET failed_run = ?, name = coalesce(value ->> 1, name) FROM json_each(?)
       WHERE projects.id = value ->> 0`,
      run.id,
      JSON.stringify(failed)
    )
  }
  // Of an unchanged project only what the answer says anew is written; of a fetched one all, with its gaps.
  await connection.run(
    `UPDATE projects SET
       name = coalesce(value ->> 2, name),
       url = coalesce(value ->> 3, url),
       serial = CASE value ->> 1 WHEN 'unchanged' THEN coalesce(value ->> 4, serial) ELSE value ->> 4 END,
       etag = CASE value ->> 1 WHEN 'unchanged' THEN coalesce(value ->> 5, etag) ELSE value ->> 5 END,
       last_modified = CASE value ->> 1 WHEN 'unchanged' THEN coalesce(value ->> 6, last_modified) ELSE value ->> 6 END,
       digest = CASE value ->> 1 WHEN 'unchanged' THEN coalesce(value ->> 7, digest) ELSE value ->> 7 END,
       status = CASE value ->> 1 WHEN 'unchanged' THEN status ELSE value ->> 8 END,
       status_reason = CASE value ->> 1 WHEN 'unchanged' THEN status_reason ELSE value ->> 9 END,
       options_key = CASE value ->> 1 WHEN 'unchanged' THEN coalesce(options_key, value ->> 11) ELSE value ->> 11 END,
       fetched_run = CASE value ->> 1 WHEN 'fetched' THEN ?1 ELSE fetched_run END,
       checked_run = ?1,
       read_at = CASE value ->> 1 WHEN 'unchanged' THEN read_at ELSE ?2 END,
       held_until = CASE value ->> 1 WHEN 'unchanged' THEN held_until ELSE value ->> 10 END,
       gone = false,
       failed_run = NULL
     FROM json_each(?3)
     WHERE projects.id = value ->> 0`,
    run.id,
    now,
    JSON.stringify(
      states
        .filter(state => state.outcome !== 'failed')
        .map(state => [
          ids.get(state.project)?.id,
          state.outcome,
          state.name,
          state.url,
          state.serial,
          state.etag,
          state.lastModified,
          state.digest,
          state.status,
          state.statusReason,
          state.heldUntil,
          run.keys.written(state.project)
        ])
    )
  )
}
