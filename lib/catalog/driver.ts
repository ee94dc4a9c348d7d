/**
 * What a kind of database must give, so that nothing else in this folder need know which one it is. `sqlite/` and
 * `postgres/` have one each, in files of the same names.
 */
import type { Knex } from 'knex'
import type { PackageRow } from './rows.js'

/** What can be bound to a statement: to `?` in order, or to `?1`, `?2` and so on. */
export type Value = string | number | null

/** Gives a lock back. May be called more than once. */
export type Release = () => Promise<void>

/** Types of values that are taken out of JSON; both databases know them by these names. */
export type ColumnType = 'text' | 'bigint'

/**
 * What is written otherwise in each database. All else is one statement for both: whatever has no type that can be
 * seen is cast, what is to be unequal to NULL is compared by `IS NOT DISTINCT FROM`, and names in mixed case are quoted.
 */
export interface Dialect {
  /**
   * SQL for a table that is bound as a JSON array of arrays: the columns named, and `at`, the position in it. To be
   * given an alias.
   */
  records(binding: string, columns: Readonly<Record<string, ColumnType>>): string
  /** SQL for a table that is bound as a JSON array: the one column `value`. */
  values(binding: string, type: ColumnType): string
  /** SQL for a field, as text, of a column that has a JSON object. */
  field(column: string, name: string): string
  /** At the end of a SELECT: the rows stay as they are until the transaction ends. */
  readonly forShare: string
  /** The same, and nobody else has them meanwhile. */
  readonly forUpdate: string
  /** SQL for the time by the clock of the database, in ms since 1970. */
  readonly now: string
}

/** What statements run in: a transaction, or the connection between two of them. */
export interface Connection {
  readonly dialect: Dialect
  /** Resolves with the rows. A truth value is 1 or 0. */
  all<Row>(sql: string, ...bindings: Value[]): Promise<Row[]>
  /** Resolves with the number of rows changed. */
  run(sql: string, ...bindings: Value[]): Promise<number>
  /**
   * Inserts package rows, of which no two have one key, or replaces the drafts that have it.
   * @throws {@link CatalogError} when `runId` is under way no longer, where that can be
   */
  insertPackages(rows: readonly PackageRow[], added: number, runId: number): Promise<void>
}

/** A connection that one piece of work has for itself. */
export interface Session extends Connection {
  begin(): Promise<void>
  /** Rejects only if nothing was kept. */
  commit(): Promise<void>
  rollback(): Promise<void>
  /** Lets others have the connection. */
  release(): Promise<void>
}

export interface Driver {
  /** Where the database is, without credentials. */
  readonly location: string
  /** For the migrations. */
  readonly knex: Knex
  /** Rows that `insertPackages` inserts in one statement, and so without a transaction around it. */
  readonly rowsAStatement: number
  /** Whether there is anything to be opened. */
  exists(): Promise<boolean>
  session(): Promise<Session>
  /** Whether there is a catalog, or nothing and room for one, or something else. */
  identify(session: Session): Promise<'catalog' | 'empty' | 'foreign'>
  /** Marks the place as a catalog's. */
  claim(session: Session): Promise<void>
  /** Takes a lock that dies with the process, waiting at most `waitMs`; `undefined` when another holds it. */
  lock(name: string, waitMs: number): Promise<Release | undefined>
  /** What an error of the database means to whoever runs Millrace; `undefined` where its message tells more. */
  reason(error: unknown): string | undefined
  /**
   * After how many ms work that failed is to be tried again as a whole; `undefined` for never. `attempt` counts from
   * 1, `failingMs` from when the database was last seen to work.
   */
  retryAfter(error: unknown, attempt: number, failingMs: number): number | undefined
  /** Is called when no session is in use. */
  close(): Promise<void>
}
