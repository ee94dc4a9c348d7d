/**
 * What a server of the index asks the catalog, each in one statement, and the one thing that it writes down: that
 * the store has a file now.
 */
import type { ProjectStatus } from '../pypi/package.js'
import type { Database } from './database.js'
import { insertFiles } from './packages.js'
import { decodePackage, PACKAGE_COLUMNS, type StoredPackage, type StoredRow } from './rows.js'
import { lastSyncOptions } from './runs.js'

/** A repository at one of its versions. */
export interface IndexedRepository {
  readonly id: number
  readonly name: string
  readonly createdAt: string
  /** 0 for one that never had a version. */
  readonly version: number
  /** When the version was made; of version 0, when the repository was. */
  readonly modifiedAt: string
  /** The last run that read any project's document: it may have changed a project's status. */
  readonly fetchedRun: number
}

/** A project of a repository. */
export interface IndexedProject {
  readonly id: number
  /** Normalised name. */
  readonly project: string
  /** As published. */
  readonly name: string
  readonly status: ProjectStatus
  readonly statusReason: string | undefined
}

/** A project as the list of a version has it. */
export interface ListedProject {
  readonly project: string
  readonly name: string
  readonly status: ProjectStatus
  /** The version that changed it last, up to the one that is listed. */
  readonly changed: number
}

/** A file in one of its states. */
export interface IndexedPackage extends StoredPackage {
  /** Of its row; never used twice. */
  readonly id: number
}

/** What the last sync of a repository was asked to do. */
export interface SyncChoices {
  readonly policy?: string | undefined
  readonly indexUrl?: string | undefined
}

/** Projects a page of the listing. */
const PAGE_PROJECTS = 1000

const COLUMNS = PACKAGE_COLUMNS.filter(column => column !== 'size')
  .map(column => `packages.${column}`)
  .join(', ')

/** A size that the index does not tell is known once the store has the file. */
const SELECT_PACKAGES = `SELECT projects.project, packages.id, packages.added, ${COLUMNS},
    coalesce(packages.size, files.size) AS size
  FROM projects CROSS JOIN packages ON packages.project_id = projects.id
  LEFT JOIN files ON packages.size IS NULL AND files.sha256 = packages.file`

const VISIBLE = 'packages.added <= ?2 AND (packages.removed IS NULL OR packages.removed > ?2)'

/** The version, up to the binding `?2`, that changed the project of row `projects` last. */
const CHANGED = `(SELECT max(CASE WHEN removed <= ?2 THEN removed ELSE added END) FROM packages
  WHERE project_id = projects.id AND added <= ?2)`

type PackageRow = StoredRow & { readonly project: string; readonly added: number; readonly id: number }

export class IndexReader {
  readonly #database: Database

  /** @internal Use `Catalog.index`. */
  constructor(database: Database) {
    this.#database = database
  }

  /** A repository at its newest version, or at `version`; `undefined` where there is no such thing. */
  async repository(name: string, version?: number): Promise<IndexedRepository | undefined> {
    if (version !== undefined && !Number.isSafeInteger(version)) return undefined
    const [row] = await this.#all<IndexedRepository>(
      `SELECT repositories.id, name, repositories.created_at AS "createdAt", coalesce(number, 0) AS version,
         coalesce(versions.created_at, repositories.created_at) AS "modifiedAt",
         (SELECT coalesce(max(fetched_run), 0) FROM projects WHERE repository_id = repositories.id) AS "fetchedRun"
       FROM repositories LEFT JOIN versions ON repository_id = repositories.id AND number = coalesce(CAST(?2 AS bigint), (
         SELECT max(number) FROM versions WHERE repository_id = repositories.id))
       WHERE name = ?1`,
      name,
      version ?? null
    )
    return version !== undefined && row?.version !== version ? undefined : row
  }

  /** A project by its normalised name. */
  async project(repositoryId: number, project: string): Promise<IndexedProject | undefined> {
    const [found] = await this.projects([[repositoryId, project]])
    return found
  }

  /** Projects of any repositories by their normalised names, in the order asked for; `undefined` for each there is not. */
  async projects(
    asked: readonly (readonly [repositoryId: number, project: string])[]
  ): Promise<(IndexedProject | undefined)[]> {
    const rows = await this.#database.use(connection =>
      connection.all<{
        at: number
        id: number
        name: string
        status: ProjectStatus | null
        statusReason: string | null
      }>(
        `SELECT at, id, name, status, status_reason AS "statusReason"
         FROM ${connection.dialect.records('?', { repository: 'bigint', asked: 'text' })} AS given
         JOIN projects ON repository_id = repository AND project = asked`,
        JSON.stringify(asked)
      )
    )
    const found = asked.map((): IndexedProject | undefined => undefined)
    for (const { at, id, name, status, statusReason } of rows)
      found[at] = {
        ...{ id, project: asked[at]?.[1] as string, name },
        ...{ status: status ?? 'active', statusReason: statusReason ?? undefined }
      }
    return found
  }

  /** The version, up to `version`, that changed a project last; 0 where none has anything of it. */
  async changed(projectId: number, version: number): Promise<number> {
    const [row] = await this.#all<{ changed: number | null }>(
      `SELECT ${CHANGED} AS changed FROM projects WHERE id = ?1`,
      projectId,
      version
    )
    return row?.changed ?? 0
  }

  /** When the oldest version from `version` on was made that is not forgotten. */
  async madeAt(repositoryId: number, version: number): Promise<string | undefined> {
    const [row] = await this.#all<{ createdAt: string }>(
      `SELECT created_at AS "createdAt" FROM versions WHERE repository_id = ? AND number >= ?
       ORDER BY number LIMIT 1`,
      repositoryId,
      version
    )
    return row?.createdAt
  }

  /** The files of a project at a version, by name. */
  async packages(projectId: number, version: number): Promise<IndexedPackage[]> {
    const rows = await this.#all<PackageRow>(
      `${SELECT_PACKAGES} WHERE projects.id = ?1 AND ${VISIBLE} ORDER BY packages.filename`,
      projectId,
      version
    )
    return rows.map(decode)
  }

  /** All states of a file that any version up to `version` has, the newest first. */
  async states(projectId: number, version: number, filename: string): Promise<IndexedPackage[]> {
    const rows = await this.#all<PackageRow>(
      `${SELECT_PACKAGES} WHERE projects.id = ?1 AND packages.added <= ?2 AND packages.filename = ?3
       ORDER BY packages.added DESC`,
      projectId,
      version,
      filename
    )
    return rows.map(decode)
  }

  /**
   * The projects that have files at a version, by name, a page at a time. What changed them last costs a look at each
   * of their files, and is 0 without `changed`.
   */
  async *listing(
    repositoryId: number,
    version: number,
    { changed }: { readonly changed: boolean }
  ): AsyncGenerator<readonly ListedProject[], void, undefined> {
    let last = ''
    while (true) {
      const rows = await this.#all<
        Omit<ListedProject, 'status'> & { status: string | null; present: number }
      >(
        `SELECT project, name, status, ${changed ? CHANGED : '0'} AS changed,
           EXISTS (SELECT 1 FROM packages WHERE project_id = projects.id AND ${VISIBLE}) AS present
         FROM projects WHERE repository_id = ?1 AND project > ?3 ORDER BY project LIMIT ${PAGE_PROJECTS}`,
        repositoryId,
        version,
        last
      )
      const page: ListedProject[] = []
      for (const { present, status, ...row } of rows)
        if (present === 1) page.push({ ...row, status: (status ?? 'active') as ProjectStatus })
      if (page.length > 0) yield page
      if (rows.length < PAGE_PROJECTS) return
      last = (rows.at(-1) as { project: string }).project
    }
  }

  /**
   * The projects that a version has otherwise than another, and those whose documents were read in a run after `run`:
   * their status may be another one.
   */
  async changedProjects(repositoryId: number, a: number, b: number, run: number): Promise<Set<string>> {
    const rows = await this.#all<{ project: string }>(
      `SELECT project FROM projects WHERE repository_id = ?1 AND fetched_run > ?4
       UNION
       SELECT project FROM projects WHERE repository_id = ?1 AND EXISTS (
         SELECT 1 FROM packages WHERE project_id = projects.id
           AND (added <= ?2 AND (removed IS NULL OR removed > ?2))
             <> (added <= ?3 AND (removed IS NULL OR removed > ?3)))`,
      repositoryId,
      a,
      b,
      run
    )
    return new Set(rows.map(({ project }) => project))
  }

  /** What the last sync of a repository was asked to do; nothing where there was none. */
  async lastSync(repositoryId: number): Promise<SyncChoices> {
    const options = await this.#database.use(connection => lastSyncOptions(connection, repositoryId))
    return options === undefined ? {} : (JSON.parse(options) as SyncChoices)
  }

  /** Notes that the store has files now, and which packages they belong to. */
  async recordFiles(
    files: readonly {
      readonly sha256: string
      readonly size: number
      readonly package?: number | undefined
    }[]
  ): Promise<void> {
    await this.#database.transaction(async connection => {
      await insertFiles(connection, files, new Date().toISOString())
      await connection.run(
        `UPDATE packages SET file = given.file
         FROM ${connection.dialect.records('?', { id: 'bigint', file: 'text' })} AS given WHERE packages.id = given.id`,
        JSON.stringify(files.map(({ package: id, sha256 }) => [id ?? null, sha256]))
      )
    })
  }

  async #all<Row>(sql: string, ...bindings: (string | number | null)[]): Promise<Row[]> {
    return await this.#database.use(connection => connection.all<Row>(sql, ...bindings))
  }
}

function decode(row: PackageRow): IndexedPackage {
  return { ...decodePackage(row), id: row.id }
}
