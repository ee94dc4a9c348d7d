/**
 * The statements on packages: what is known of them, how a batch is saved, and how a version is read.
 */
import type { Connection, Database } from './database.js'
import { encodeJson } from './json.js'
import { decodePackage, PACKAGE_COLUMNS, type StoredPackage, type StoredRow } from './rows.js'

/** Rows a page when a version is read: the memory that reading takes. */
const PAGE_ROWS = 1000

const COLUMNS = PACKAGE_COLUMNS.map(column => `packages.${column}`).join(', ')

/** The row that a file has now, as a draft or in the current version. */
export interface FoundPackage extends StoredRow {
  /** Position in what was asked. */
  readonly at: number
  readonly id: number
  readonly added: number
}

/** Finds the rows of files by project and name. A file may have two: the current version's, and a draft. */
export async function findPackages(
  connection: Connection,
  keys: readonly (readonly [projectId: number, filename: string])[]
): Promise<FoundPackage[]> {
  return await connection.all<FoundPackage>(
    `SELECT asked.at, packages.id, packages.added, ${COLUMNS}
     FROM ${connection.dialect.records('?', { project: 'bigint', filename: 'text' })} AS asked
     CROSS JOIN packages ON packages.project_id = asked.project
       AND packages.filename = asked.filename AND packages.removed IS NULL
     ORDER BY packages.added`,
    encodeJson(keys)
  )
}

/** Marks rows as seen in a run. */
export async function markSeen(connection: Connection, ids: readonly number[], runId: number): Promise<void> {
  await connection.run(
    `UPDATE packages SET seen_run = ? WHERE id IN ${connection.dialect.values('?', 'bigint')}`,
    runId,
    JSON.stringify(ids)
  )
}

/** Brings up to date what is not part of a package's state: where it is fetched, and what the store has of it. */
export async function updatePlaces(
  connection: Connection,
  places: readonly (readonly [id: number, url: string, file: string | undefined])[]
): Promise<void> {
  await connection.run(
    `UPDATE packages SET url = places.url, file = coalesce(places.file, packages.file)
     FROM ${connection.dialect.records('?', { id: 'bigint', url: 'text', file: 'text' })} AS places
     WHERE packages.id = places.id`,
    encodeJson(places)
  )
}

/** Takes back drafts. */
export async function deletePackages(connection: Connection, ids: readonly number[]): Promise<void> {
  await connection.run(
    `DELETE FROM packages WHERE id IN ${connection.dialect.values('?', 'bigint')}`,
    JSON.stringify(ids)
  )
}

/** Notes which files the store holds. */
export async function insertFiles(
  connection: Connection,
  files: Iterable<{ readonly sha256: string; readonly size: number }>,
  now: string
): Promise<void> {
  await connection.run(
    `INSERT INTO files (sha256, size, created_at)
     SELECT sha256, size, ? FROM ${connection.dialect.records('?', { sha256: 'text', size: 'bigint' })} AS given
     WHERE true ORDER BY sha256
     ON CONFLICT DO NOTHING`,
    now,
    JSON.stringify(Array.from(files, ({ sha256, size }) => [sha256, size]))
  )
}

/** Those of `digests` that the store holds. */
export async function findFiles(connection: Connection, digests: readonly string[]): Promise<Set<string>> {
  const rows = await connection.all<{ sha256: string }>(
    `SELECT sha256 FROM files WHERE sha256 IN ${connection.dialect.values('?', 'text')}`,
    encodeJson(digests)
  )
  return new Set(rows.map(row => row.sha256))
}

/**
 * The packages of a repository version, sorted by project and file name (by their UTF-8 bytes), a page at a
 * time: whatever the version's size, one page is held.
 */
export async function* readPackages(
  database: Database,
  repositoryId: number,
  version: number,
  project: string | undefined
): AsyncGenerator<StoredPackage, void, undefined> {
  let [lastProject, lastFilename] = [project ?? '', '']
  while (true) {
    const rows = await database.use(connection =>
      connection.all<StoredRow & { project: string; added: number }>(
        `SELECT projects.project, packages.added, ${COLUMNS}
         FROM projects CROSS JOIN packages ON packages.project_id = projects.id
         WHERE projects.repository_id = ?1 AND projects.project ${project === undefined ? '>=' : '='} ?2
           AND (projects.project > ?2 OR packages.filename > ?3)
           AND packages.added <= ?4 AND (packages.removed IS NULL OR packages.removed > ?4)
         ORDER BY projects.project, packages.filename
         LIMIT ${PAGE_ROWS}`,
        repositoryId,
        lastProject,
        lastFilename,
        version
      )
    )
    for (const row of rows) yield decodePackage(row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return
    lastProject = last.project
    lastFilename = String(last.filename)
  }
}
