/**
 * The statements on projects: their ids, what is known of them, and what a run found out.
 */
import type { Project, ProjectStatus } from '../pypi/package.js'
import type { Connection } from './database.js'
import { encodeJson } from './json.js'
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
  /** 1 when it has no packages; asked only of projects that were never settled. */
  readonly fresh: number | null
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
export const READ_LATELY = `(CAST(?2 AS bigint) IS NULL
  OR read_at > CAST(?1 AS bigint) - CAST(?2 AS bigint) * (0.5 + (projects.id % 1000) / 2000.0))`

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
       SELECT asked.at, projects.*, asked.listed_serial,
         failed_run IS NULL AND (held_until IS NULL OR held_until >= CAST(?1 AS bigint)) AND ${READ_LATELY}
           AND options_key IN (${keys.accepted.map((_, at) => `asked.options || ?${at + 6}`).join(', ')}) AS valid
       FROM ${connection.dialect.records('?3', { name: 'text', listed_serial: 'bigint', options: 'text' })} AS asked
       CROSS JOIN projects ON projects.repository_id = ?4 AND projects.project = asked.name
     )
     SELECT at, id,
       valid AND CASE WHEN listed_serial IS NULL THEN checked_run > ?5 ELSE serial = listed_serial END AS unchanged,
       CASE WHEN options_key IS NULL
         THEN NOT EXISTS (SELECT 1 FROM packages WHERE packages.project_id = found.id) END AS fresh,
       CASE WHEN valid THEN etag END AS etag,
       CASE WHEN valid THEN last_modified END AS "lastModified",
       CASE WHEN valid THEN digest END AS digest
     FROM found`,
    now,
    fullCheckMs ?? null,
    encodeJson(projects.map(({ project, serial }) => [project, serial, keys.of(project)])),
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
    `SELECT projects.project, projects.id FROM ${connection.dialect.values('?', 'text')} AS asked
     CROSS JOIN projects ON projects.repository_id = ? AND projects.project = asked.value`,
    encodeJson(names),
    repositoryId
  )
}

/**
 * Makes rows for projects that have none; says of each whether it did. Those that another process made meanwhile are
 * found.
 */
export async function insertProjects(
  connection: Connection,
  repositoryId: number,
  projects: readonly ProjectName[]
): Promise<{ project: string; id: number; fresh: boolean }[]> {
  const made = await connection.all<{ project: string; id: number }>(
    `INSERT INTO projects (repository_id, project, name, url)
     SELECT CAST(? AS integer), given.project, given.name, given.url
     FROM ${connection.dialect.records('?', { project: 'text', name: 'text', url: 'text' })} AS given
     WHERE true ORDER BY given.project
     ON CONFLICT DO NOTHING
     RETURNING project, id`,
    repositoryId,
    encodeJson(projects.map(({ project, name, url }) => [project, name, url]))
  )
  const missing = new Set(projects.map(({ project }) => project))
  for (const { project } of made) missing.delete(project)
  const found = missing.size === 0 ? [] : await projectIds(connection, repositoryId, [...missing])
  return [...made.map(row => ({ ...row, fresh: true })), ...found.map(row => ({ ...row, fresh: false }))]
}

/** A state, as it is bound. */
const STATE_COLUMNS = {
  id: 'bigint',
  outcome: 'text',
  name: 'text',
  url: 'text',
  serial: 'bigint',
  etag: 'text',
  last_modified: 'text',
  digest: 'text',
  status: 'text',
  status_reason: 'text',
  held_until: 'bigint',
  options_key: 'text'
} as const

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
      `UPDATE projects SET failed_run = ?, name = coalesce(failed.name, projects.name)
       FROM ${connection.dialect.records('?', { id: 'bigint', name: 'text' })} AS failed
       WHERE projects.id = failed.id`,
      run.id,
      encodeJson(failed)
    )
  }
  // Of an unchanged project only what the answer says anew is written; of a fetched one all, with its gaps.
  await connection.run(
    `UPDATE projects SET
       name = coalesce(states.name, projects.name),
       url = coalesce(states.url, projects.url),
       serial = CASE outcome WHEN 'unchanged' THEN coalesce(states.serial, projects.serial) ELSE states.serial END,
       etag = CASE outcome WHEN 'unchanged' THEN coalesce(states.etag, projects.etag) ELSE states.etag END,
       last_modified = CASE outcome WHEN 'unchanged' THEN coalesce(states.last_modified, projects.last_modified)
         ELSE states.last_modified END,
       digest = CASE outcome WHEN 'unchanged' THEN coalesce(states.digest, projects.digest) ELSE states.digest END,
       status = CASE outcome WHEN 'unchanged' THEN projects.status ELSE states.status END,
       status_reason = CASE outcome WHEN 'unchanged' THEN projects.status_reason ELSE states.status_reason END,
       options_key = CASE outcome WHEN 'unchanged' THEN projects.options_key ELSE states.options_key END,
       fetched_run = CASE outcome WHEN 'fetched' THEN CAST(?1 AS integer) ELSE fetched_run END,
       checked_run = CAST(?1 AS integer),
       read_at = CASE outcome WHEN 'unchanged' THEN read_at ELSE CAST(?2 AS bigint) END,
       held_until = CASE outcome WHEN 'unchanged' THEN projects.held_until ELSE states.held_until END,
       gone = false,
       failed_run = NULL
     FROM ${connection.dialect.records('?3', STATE_COLUMNS)} AS states
     WHERE projects.id = states.id`,
    run.id,
    now,
    encodeJson(
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
