/**
 * What the pages for people ask the catalog. Each list is asked a page at a time, by a key that has an index, so that
 * no page costs more because the repository is large.
 */
import type { ProjectStatus } from '../pypi/package.js'
import type { Failure } from '../report.js'
import type { Change } from './changes.js'
import type { Database } from './database.js'
import { type RunProgress, readProgress } from './progress.js'
import { decodePackage, PACKAGE_COLUMNS, type StoredRow } from './rows.js'
import { decodeFailure, decodeRun, FAILURE_COLUMNS, RUN_COLUMNS, type RunInfo, type RunRow } from './runs.js'
import type { Version } from './versions.js'

/** A repository, as it is listed. */
export interface RepositoryInfo {
  readonly id: number
  readonly name: string
  readonly createdAt: string
  /** 0 for one that never had a version. */
  readonly version: number
  readonly changedAt: string | null
  readonly present: number
  readonly lastRun: number | null
  readonly lastRunAt: string | null
  readonly lastRunState: RunInfo['state'] | null
}

export interface VersionInfo extends Version {
  readonly runId: number
  readonly lastPackage: number
}

/** A version beside those before and after it. */
export interface VersionPlace {
  readonly version: VersionInfo
  readonly previous: VersionInfo | undefined
  readonly next: number | undefined
}

/** Where a list of changes goes on: after the row `id`, among those added or, when these are through, those removed. */
export interface ChangePlace {
  readonly kind: 'added' | 'removed'
  readonly id: number
}

/** Some of a list, and where it goes on; `undefined` at its end. */
export interface Part<Item, Place> {
  readonly items: readonly Item[]
  readonly next: Place | undefined
}

/** A project that was found. */
export interface FoundProject {
  readonly project: string
  readonly name: string
  readonly status: ProjectStatus
}

type ChangedRow = StoredRow & { readonly project: string; readonly added: number; readonly id: number }

/** Projects looked at in one statement, and in so many statements for one page: most have no files in a catalog that keeps few. */
const LOOKED_AT = 500
const LOOKS = 6

const COLUMNS = PACKAGE_COLUMNS.map(column => `packages.${column}`).join(', ')
const VERSION_COLUMNS = `number, created_at AS "createdAt", added, removed, present, run_id AS "runId",
  last_package AS "lastPackage"`

export class BrowseReader {
  readonly #database: Database

  /** @internal Use `Catalog.browse`. */
  constructor(database: Database) {
    this.#database = database
  }

  /** Repositories by name, those after the name `after`. */
  async repositories(after: string, limit: number): Promise<Part<RepositoryInfo, string>> {
    const rows = await this.#all<RepositoryInfo>(
      `SELECT repositories.id, name, repositories.created_at AS "createdAt", coalesce(number, 0) AS version,
         versions.created_at AS "changedAt", coalesce(present, 0) AS present, runs.id AS "lastRun",
         runs.started_at AS "lastRunAt", runs.state AS "lastRunState"
       FROM repositories
       LEFT JOIN versions ON versions.repository_id = repositories.id AND number = (
         SELECT max(number) FROM versions WHERE repository_id = repositories.id)
       LEFT JOIN runs ON runs.id = (SELECT max(id) FROM runs WHERE repository_id = repositories.id)
       WHERE name > ? ORDER BY name LIMIT ?`,
      after,
      limit + 1
    )
    return part(rows, limit, ({ name }) => name)
  }

  /** Versions of a repository, newest first, those before the number `before`. */
  async versions(
    repositoryId: number,
    before: number | undefined,
    limit: number
  ): Promise<Part<VersionInfo, number>> {
    const rows = await this.#all<VersionInfo>(
      `SELECT ${VERSION_COLUMNS} FROM versions WHERE repository_id = ? AND number < CAST(? AS bigint)
       ORDER BY number DESC LIMIT ?`,
      repositoryId,
      before ?? Number.MAX_SAFE_INTEGER,
      limit + 1
    )
    return part(rows, limit, ({ number }) => number)
  }

  /** A version and its neighbours; `undefined` where there is no such version. */
  async version(repositoryId: number, number: number): Promise<VersionPlace | undefined> {
    const {
      items: [version, previous]
    } = await this.versions(repositoryId, number + 1, 2)
    if (version?.number !== number) return undefined
    const [next] = await this.#all<{ number: number }>(
      'SELECT number FROM versions WHERE repository_id = ? AND number > CAST(? AS bigint) ORDER BY number LIMIT 1',
      repositoryId,
      number
    )
    return { version, previous, next: next?.number }
  }

  /**
   * What a version changed, in the order in which it came in, and then what it only removed. The rows that a version
   * added lie between its predecessor's last one and its own, and those that are closed have an index.
   */
  async changes(
    repositoryId: number,
    { version, previous }: VersionPlace,
    after: ChangePlace | undefined,
    limit: number
  ): Promise<Part<Change, ChangePlace>> {
    const items: Change[] = []
    let removedAfter = 0
    if (after?.kind === 'removed') removedAfter = after.id
    else {
      const from = Math.max(previous?.lastPackage ?? 0, after?.id ?? 0)
      const { items: added, next } = await this.#added(repositoryId, version, from, limit)
      items.push(...added)
      if (next !== undefined) return { items, next }
    }
    const removed = await this.#removed(repositoryId, version.number, removedAfter, limit - items.length)
    return { items: [...items, ...removed.items], next: removed.next }
  }

  async #added(
    repositoryId: number,
    { number, lastPackage }: VersionInfo,
    from: number,
    limit: number
  ): Promise<Part<Change, ChangePlace>> {
    const rows = await this.#all<ChangedRow>(
      `SELECT projects.project, packages.id, packages.added, ${COLUMNS}
       FROM packages CROSS JOIN projects ON projects.id = packages.project_id
       WHERE packages.id > ? AND packages.id <= ? AND packages.added = ? AND +projects.repository_id = ?
       ORDER BY packages.id LIMIT ?`,
      from,
      lastPackage,
      number,
      repositoryId,
      limit + 1
    )
    const { items, next } = part(rows, limit, ({ id }): ChangePlace => ({ kind: 'added', id }))
    const old = await this.#all<ChangedRow & { readonly successor: number }>(
      `SELECT projects.project, packages.id, packages.added, successors.id AS successor, ${COLUMNS}
       FROM packages AS successors CROSS JOIN projects ON projects.id = successors.project_id
       CROSS JOIN packages ON packages.project_id = successors.project_id
         AND packages.filename = successors.filename AND packages.removed = ?
       WHERE successors.id > ? AND successors.id <= ? AND successors.added = ? AND +projects.repository_id = ?`,
      number,
      from,
      items.at(-1)?.id ?? from,
      number,
      repositoryId
    )
    const replaced = new Map(old.map(row => [row.successor, decodePackage(row)]))
    return {
      next,
      items: items.map(row => {
        const before = replaced.get(row.id)
        const { project, filename } = row
        const change = before === undefined ? 'added' : 'changed'
        return { change, project, filename: String(filename), before, after: decodePackage(row) }
      })
    }
  }

  async #removed(
    repositoryId: number,
    number: number,
    from: number,
    limit: number
  ): Promise<Part<Change, ChangePlace>> {
    const rows = await this.#all<ChangedRow>(
      `SELECT projects.project, packages.id, packages.added, ${COLUMNS}
       FROM packages CROSS JOIN projects ON projects.id = packages.project_id
       WHERE packages.removed = ? AND packages.id > ? AND +projects.repository_id = ? AND NOT EXISTS (
         SELECT 1 FROM packages AS successors WHERE successors.project_id = packages.project_id
           AND successors.filename = packages.filename AND successors.added = ?)
       ORDER BY packages.id LIMIT ?`,
      number,
      from,
      repositoryId,
      number,
      limit + 1
    )
    // With no room left, the list goes on from its beginning.
    const { items, next } = part(rows, limit, ({ id }): ChangePlace => ({ kind: 'removed', id }))
    return {
      next: next ?? (rows.length > limit ? { kind: 'removed', id: from } : undefined),
      items: items.map(row => ({
        change: 'removed',
        project: row.project,
        filename: String(row.filename),
        before: decodePackage(row),
        after: undefined
      }))
    }
  }

  /**
   * Projects that have files at a version, or are in quarantine, whose normalised names begin with `prefix`; those after the
   * name `after`. There may be more though few are found: no more than some thousand are looked at.
   */
  async projects(
    repositoryId: number,
    version: number,
    prefix: string,
    after: string,
    limit: number
  ): Promise<Part<FoundProject, string>> {
    const found: FoundProject[] = []
    let last = after
    for (let look = 0; look < LOOKS; look++) {
      const rows = await this.#all<{
        project: string
        name: string
        status: ProjectStatus | null
        present: number | boolean
      }>(
        `SELECT project, name, status, status = 'quarantined' OR EXISTS (
           SELECT 1 FROM packages WHERE project_id = projects.id AND packages.added <= ?2
             AND (packages.removed IS NULL OR packages.removed > ?2)) AS present
         FROM projects WHERE repository_id = ?1 AND project > ?3 AND project >= ?4 AND project < ?5
         ORDER BY project LIMIT ${LOOKED_AT}`,
        repositoryId,
        version,
        last,
        prefix,
        // The first character after those that a normalised name has.
        `${prefix}{`
      )
      for (const { present, status, project, name } of rows) {
        if (!present) continue
        if (found.length === limit) return { items: found, next: found.at(-1)?.project }
        found.push({ project, name, status: status ?? 'active' })
      }
      if (rows.length < LOOKED_AT) return { items: found, next: undefined }
      last = (rows.at(-1) as { project: string }).project
    }
    return { items: found, next: last }
  }

  /** Runs of a repository, newest first, those before the run `before`. */
  async runs(
    repositoryId: number,
    before: number | undefined,
    limit: number
  ): Promise<Part<RunInfo, number>> {
    const rows = await this.#all<RunRow>(
      `SELECT ${RUN_COLUMNS} FROM runs WHERE repository_id = ? AND id < CAST(? AS bigint) ORDER BY id DESC LIMIT ?`,
      repositoryId,
      before ?? Number.MAX_SAFE_INTEGER,
      limit + 1
    )
    const { items, next } = part(rows, limit, ({ id }) => id)
    return { items: items.map(decodeRun), next }
  }

  /** A run by its number. */
  async run(repositoryId: number, id: number): Promise<RunInfo | undefined> {
    const {
      items: [run]
    } = await this.runs(repositoryId, id + 1, 1)
    return run?.id === id ? run : undefined
  }

  /** What a run could not have; those after the row `after`. */
  async failures(runId: number, after: number, limit: number): Promise<Part<Failure, number>> {
    const rows = await this.#all<{ id: number } & Parameters<typeof decodeFailure>[0]>(
      `SELECT id, ${FAILURE_COLUMNS} FROM failures WHERE run_id = CAST(? AS bigint) AND id > CAST(? AS bigint) ORDER BY id LIMIT ?`,
      runId,
      after,
      limit + 1
    )
    const { items, next } = part(rows, limit, ({ id }) => id)
    return { items: items.map(decodeFailure), next }
  }

  /** The run of a repository that is under way; `undefined` where there is none. */
  async progress(repositoryId: number): Promise<RunProgress | undefined> {
    return await this.#database.use(connection => readProgress(connection, repositoryId))
  }

  async #all<Row>(sql: string, ...bindings: (string | number)[]): Promise<Row[]> {
    return await this.#database.use(connection => connection.all<Row>(sql, ...bindings))
  }
}

/** The first `limit` of some rows; where there is one more, the list goes on after the last of them. */
function part<Row, Place>(rows: readonly Row[], limit: number, place: (row: Row) => Place): Part<Row, Place> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? place(last) : undefined }
}
