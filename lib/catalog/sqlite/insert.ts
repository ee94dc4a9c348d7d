/**
 * Inserts package rows by set: one prepared statement with many rows, straight on the sqlite3 handle.
 *
 * Each row is bound as one text, a JSON array, and taken apart by SQLite, which works beside the main thread. A value of
 * its own for each column costs more on both sides: sqlite3 makes several calls into Node for each (measured for a row
 * of 15 columns: 10.8 µs of the main thread and 16.5 µs in all, against 3.8 and 10.3; one JSON text for all rows, with
 * `json_each`, took 5.5 and 13.8).
 */
import type { Database as Handle, Statement } from 'sqlite3'
import { PACKAGE_COLUMNS, type PackageRow } from '../rows.js'
import { finalize, prepare, runStatement } from './connection.js'

/** Rows that one statement inserts, and so without a transaction around it. More did not measure better. */
export const ROWS_A_STATEMENT = 720

/** Rows of the statements there are: places of one that are left over cost little, but not nothing. */
const SIZES = [32, 240, ROWS_A_STATEMENT]

/** Inserts or, where a draft of the file is there already, replaces it. */
function insertSql(rows: number): string {
  const values = Array.from({ length: rows }, (_, at) => `(?${at + 3})`)
  const columns = PACKAGE_COLUMNS.map((_, at) => `column1 ->> ${at}`)
  const updates = ['seen_run', ...PACKAGE_COLUMNS.slice(2)].map(column => `${column} = excluded.${column}`)
  return `INSERT INTO packages (added, seen_run, ${PACKAGE_COLUMNS.join(', ')})
    SELECT ?1, ?2, ${columns.join(', ')} FROM (VALUES ${values.join(', ')}) WHERE column1 IS NOT NULL
    ON CONFLICT (project_id, filename, added) DO UPDATE SET ${updates.join(', ')}`
}

/** Holds the prepared statements of one connection. */
export class PackageInserter {
  readonly #handle: Handle
  readonly #statements = new Map<number, Statement>()

  constructor(handle: Handle) {
    this.#handle = handle
  }

  /** Inserts `rows`, of which no two may have the same project and file name. */
  async insert(rows: readonly PackageRow[], added: number, seenRun: number): Promise<void> {
    for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT) {
      const part = rows.slice(at, at + ROWS_A_STATEMENT)
      // Values that are not given are NULL.
      const values = [String(added), String(seenRun)]
      for (const row of part) values.push(JSON.stringify(row))
      await runStatement(await this.#statement(part.length), values)
    }
  }

  /** Frees the statements. */
  async close(): Promise<void> {
    for (const statement of this.#statements.values()) await finalize(statement)
    this.#statements.clear()
  }

  async #statement(rows: number): Promise<Statement> {
    const size = SIZES.find(size => size >= rows) as number
    let statement = this.#statements.get(size)
    if (statement === undefined) {
      statement = await prepare(this.#handle, insertSql(size))
      this.#statements.set(size, statement)
    }
    return statement
  }
}
