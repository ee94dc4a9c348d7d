/**
 * The statements that compare two versions of a repository.
 */
import type { Database } from './database.js'
import {
  COMPARED_COLUMNS,
  decodePackage,
  PACKAGE_COLUMNS,
  type StoredPackage,
  type StoredRow
} from './rows.js'

/** One file that two versions do not have in the same state. */
export interface Change {
  readonly change: 'added' | 'removed' | 'changed'
  readonly project: string
  readonly filename: string
  /** As the first version has it; `undefined` when it was added. */
  readonly before: StoredPackage | undefined
  /** As the second version has it; `undefined` when it was removed. */
  readonly after: StoredPackage | undefined
}

/** Rows a page: the memory that a comparison takes. */
const PAGE_ROWS = 1000

const COLUMNS = PACKAGE_COLUMNS.map(column => `packages.${column}`).join(', ')

/** SQL for whether a row is part of the version that is the binding `at`. */
function visible(at: string): string {
  return `(packages.added <= ${at} AND (packages.removed IS NULL OR packages.removed > ${at}))`
}

type ChangedRow = StoredRow & { readonly project: string; readonly added: number; readonly inFirst: number }

/** What version `b` has otherwise than version `a`, sorted by project and file name, a page at a time. */
export async function* readChanges(
  database: Database,
  repositoryId: number,
  a: number,
  b: number
): AsyncGenerator<Change, void, undefined> {
  // A file has at most one row in each version; the two follow each other.
  let held: ChangedRow | undefined
  for await (const row of readRows(database, repositoryId, a, b)) {
    if (held !== undefined && held.project === row.project && held.filename === row.filename) {
      // A version that went back has rows of its own for what it took back.
      const [one, other] = [held, row]
      if (COMPARED_COLUMNS.some(column => one[column] !== other[column])) yield changeOf(one, other)
      held = undefined
      continue
    }
    if (held !== undefined) yield changeOf(held)
    held = row
  }
  if (held !== undefined) yield changeOf(held)
}

function changeOf(...rows: readonly ChangedRow[]): Change {
  const before = rows.find(row => row.inFirst === 1)
  const after = rows.find(row => row.inFirst === 0)
  const { project, filename } = rows[0] as ChangedRow
  return {
    change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
    project,
    filename: String(filename),
    before: before && decodePackage(before),
    after: after && decodePackage(after)
  }
}

async function* readRows(
  database: Database,
  repositoryId: number,
  a: number,
  b: number
): AsyncGenerator<ChangedRow, void, undefined> {
  let [lastProject, lastFilename, lastAdded] = ['', '', 0]
  while (true) {
    const rows = await database.use(connection =>
      connection.all<ChangedRow>(
        `SELECT projects.project, packages.added, ${visible('?5')} AS "inFirst", ${COLUMNS}
         FROM projects CROSS JOIN packages ON packages.project_id = projects.id
         WHERE projects.repository_id = ?1 AND projects.project >= ?2
           AND (projects.project > ?2 OR packages.filename > ?3 OR (packages.filename = ?3 AND packages.added > ?4))
           AND ${visible('?5')} <> ${visible('?6')}
         ORDER BY projects.project, packages.filename, packages.added
         LIMIT ${PAGE_ROWS}`,
        repositoryId,
        lastProject,
        lastFilename,
        lastAdded,
        a,
        b
      )
    )
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return
    lastProject = last.project
    lastFilename = String(last.filename)
    lastAdded = last.added
  }
}
