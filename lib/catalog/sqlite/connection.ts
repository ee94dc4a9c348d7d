/**
 * One SQLite connection: the few calls that are made on it, as promises, and how it is set up.
 */
import type { Database as Handle, RunResult, Statement } from 'sqlite3'
import type { Value } from '../driver.js'

/** 'MLRC': tells a catalog from any other SQLite file. @see https://www.sqlite.org/pragma.html#pragma_application_id */
const APPLICATION_ID = 0x4d4c5243

/** How long a statement waits for another process's transaction. The longest is the commit of a large version. */
const BUSY_TIMEOUT_MS = 120_000

/**
 * Pages kept in memory. With SQLite's own 2 MB, what changes all over a catalog of 3 million packages is read from
 * the disk again and again: measured, 7,000 rows/s saved there against 14,000.
 */
const CACHE_KIBIBYTES = 16 * 1024

/** Resolves with the rows. */
export function all<Row>(handle: Handle, sql: string, bindings: readonly Value[] = []): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    handle.all(sql, bindings, (error: Error | null, rows: Row[]) => (error ? reject(error) : resolve(rows)))
  })
}

/** Resolves with the number of rows changed. */
export function run(handle: Handle, sql: string, bindings: readonly Value[] = []): Promise<number> {
  return new Promise((resolve, reject) => {
    handle.run(sql, bindings, function (this: RunResult, error: Error | null) {
      if (error) reject(error)
      else resolve(this.changes)
    })
  })
}

/** Compiles a statement that is used many times. */
export function prepare(handle: Handle, sql: string): Promise<Statement> {
  return new Promise((resolve, reject) => {
    const statement = handle.prepare(sql, (error: Error | null) =>
      error ? reject(error) : resolve(statement)
    )
  })
}

/** Runs a compiled statement. */
export function runStatement(statement: Statement, bindings: readonly Value[]): Promise<void> {
  return new Promise((resolve, reject) => {
    statement.run(bindings, (error: Error | null) => (error ? reject(error) : resolve()))
  })
}

/** Frees a compiled statement; a connection with one left cannot be closed. */
export function finalize(statement: Statement): Promise<void> {
  return new Promise(resolve => {
    statement.finalize(() => resolve())
  })
}

/** Sets up a new connection. WAL lets others read while one writes; NORMAL loses no integrity, at worst the last batches. */
export async function setUp(handle: Handle): Promise<void> {
  await run(handle, `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  await run(handle, 'PRAGMA journal_mode = WAL')
  await run(handle, 'PRAGMA synchronous = NORMAL')
  await run(handle, 'PRAGMA foreign_keys = ON')
  await run(handle, `PRAGMA cache_size = -${CACHE_KIBIBYTES}`)
}

/** Whether the file is a catalog, or empty and free to become one, or something else. */
export async function identify(handle: Handle): Promise<'catalog' | 'empty' | 'foreign'> {
  const [id] = await all<{ application_id: number }>(handle, 'PRAGMA application_id')
  if (id?.application_id === APPLICATION_ID) return 'catalog'
  const tables = await all(handle, 'SELECT 1 FROM sqlite_schema LIMIT 1')
  return tables.length === 0 && id?.application_id === 0 ? 'empty' : 'foreign'
}

/** Marks the file as a catalog. */
export async function claim(handle: Handle): Promise<void> {
  await run(handle, `PRAGMA application_id = ${APPLICATION_ID}`)
}
