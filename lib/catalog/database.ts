/**
 * The database under the catalog: opens and migrates it, gives transactions, locks and wrapped errors.
 * All that rests on SQLite is in `sqlite/`; the statements elsewhere in this folder are written so that
 * PostgreSQL needs only `json_array_elements` for `json_each`.
 */
import { access } from 'node:fs/promises'
import knexModule, { type Knex } from 'knex'
import type { Database as Handle } from 'sqlite3'
import { CatalogError, MillraceError } from '../errors.js'
import { migrate, schemaState } from './migrations.js'
import type { PackageRow } from './rows.js'
import { all, claim, identify, run, setUp, type Value } from './sqlite/connection.js'
import { PackageInserter, ROWS_A_STATEMENT } from './sqlite/insert.js'
import { lock, type Release } from './sqlite/lock.js'

export type { Value } from './sqlite/connection.js'
export type { Release } from './sqlite/lock.js'

/** How long an opening process waits for another's migrations. */
const MIGRATION_WAIT_MS = 60_000

/** The longest time that Node's timers can count: a query waits for the connection as long as it takes. */
const FOR_EVER_MS = 2 ** 31 - 1

/** What statements run in: a transaction, or the connection between two of them. */
export interface Connection {
  /** Resolves with the rows. */
  all<Row>(sql: string, ...bindings: Value[]): Promise<Row[]>
  /** Resolves with the number of rows changed. */
  run(sql: string, ...bindings: Value[]): Promise<number>
  /** Inserts package rows, of which no two have one key. */
  insertPackages(rows: readonly PackageRow[], added: number, seenRun: number): Promise<void>
}

/** What SQLite's codes mean to whoever runs Millrace. */
const REASONS: Readonly<Record<string, string>> = {
  SQLITE_FULL: 'cannot be written: the disk is full',
  SQLITE_BUSY: 'is in use by another process',
  SQLITE_CANTOPEN: 'cannot be opened: its folder is not there, or not to be read or written',
  SQLITE_NOTADB: 'is not a catalog of Millrace, nor any SQLite database',
  SQLITE_READONLY: 'cannot be written: the file or its folder is read-only',
  SQLITE_CORRUPT: 'is damaged',
  SQLITE_IOERR: 'cannot be read or written: the system reports an error of the disk'
}

export class Database {
  readonly location: string
  readonly #knex: Knex
  readonly #inserters = new WeakMap<Handle, PackageInserter>()
  /** Names locked here, where no other process can see the database. */
  readonly #held = new Set<string>()
  #closed = false

  private constructor(location: string, knex: Knex) {
    this.location = location
    this.#knex = knex
  }

  /** Opens the database, makes it where `create` allows, and brings its schema up to date. @throws {@link CatalogError} */
  static async open(
    location: string,
    create: boolean,
    migrationWaitMs = MIGRATION_WAIT_MS,
    connections = 1
  ): Promise<Database> {
    if (!create && location !== ':memory:') {
      await access(location).catch(error => {
        throw new CatalogError(location, 'does not exist', error)
      })
    }
    const knex = knexModule({
      client: 'sqlite3',
      connection: { filename: location },
      useNullAsDefault: true,
      acquireConnectionTimeout: FOR_EVER_MS,
      pool: {
        min: 1,
        // Each connection to memory would be a database of its own.
        max: location === ':memory:' ? 1 : connections,
        afterCreate: (handle: Handle, done: (error: unknown) => void) => setUp(handle).then(done, done)
      }
    })
    const database = new Database(location, knex)
    try {
      await database.#prepare(migrationWaitMs)
    } catch (error) {
      await knex.destroy()
      throw database.wrap(error)
    }
    return database
  }

  /** For statements that knex writes: single rows of small tables. */
  get knex(): Knex {
    return this.#knex
  }

  /** Runs `work` on the connection, outside a transaction. @throws {@link CatalogError} */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await this.#withHandle(handle => work(this.#connection(handle)))
    } catch (error) {
      throw this.wrap(error)
    }
  }

  /** Runs `work` in a transaction that is rolled back when `work` fails. @throws {@link CatalogError} */
  async transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return await this.use(async connection => {
      // IMMEDIATE: a transaction that begins by reading could not go on to write once another process wrote.
      await connection.run('BEGIN IMMEDIATE')
      try {
        const result = await work(connection)
        await connection.run('COMMIT')
        return result
      } catch (error) {
        // SQLite has rolled back by itself after some errors, a full disk among them.
        await connection.run('ROLLBACK').catch(() => {})
        throw error
      }
    })
  }

  /** Inserts package rows, of which no two have one key, in a transaction of their own. @throws {@link CatalogError} */
  async insertPackages(rows: readonly PackageRow[], added: number, seenRun: number): Promise<void> {
    const insert = (connection: Connection) => connection.insertPackages(rows, added, seenRun)
    // One statement is a transaction already: a turn of the event loop, where BEGIN and COMMIT make it three.
    await (rows.length <= ROWS_A_STATEMENT ? this.use(insert) : this.transaction(insert))
  }

  /** Takes the lock `name`, which dies with the process; `undefined` when another holds it after `waitMs`. */
  async lock(name: string, waitMs = 0): Promise<Release | undefined> {
    if (this.location !== ':memory:') {
      return await lock(this.location, name, waitMs).catch(error => {
        throw this.wrap(error)
      })
    }
    if (this.#held.has(name)) return undefined
    this.#held.add(name)
    return async () => {
      this.#held.delete(name)
    }
  }

  /** May be called more than once. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#withHandle(async handle => this.#inserters.get(handle)?.close())
    await this.#knex.destroy()
  }

  /** The error for whoever called, wrapped once. */
  wrap(error: unknown): Error {
    if (error instanceof MillraceError) return error
    const { code, message } = error as NodeJS.ErrnoException
    return new CatalogError(this.location, REASONS[code ?? ''] ?? `failed: ${message}`, error)
  }

  async #prepare(migrationWaitMs: number): Promise<void> {
    const kind = await this.#withHandle(identify)
    if (kind === 'foreign') throw new CatalogError(this.location, 'is not a catalog of Millrace')
    const state = await schemaState(this.#knex)
    if (state === 'newer') throw new CatalogError(this.location, 'was written by a newer Millrace')
    if (state === 'current') return
    const release = await this.lock('open', migrationWaitMs)
    if (release === undefined) throw new CatalogError(this.location, 'is being opened by another process')
    try {
      await this.#withHandle(claim)
      await migrate(this.#knex)
    } finally {
      await release()
    }
  }

  async #withHandle<T>(work: (handle: Handle) => Promise<T>): Promise<T> {
    const handle: Handle = await this.#knex.client.acquireConnection()
    try {
      return await work(handle)
    } finally {
      await this.#knex.client.releaseConnection(handle)
    }
  }

  #connection(handle: Handle): Connection {
    let inserter = this.#inserters.get(handle)
    if (inserter === undefined) {
      inserter = new PackageInserter(handle)
      this.#inserters.set(handle, inserter)
    }
    const packages = inserter
    return {
      all: (sql, ...bindings) => all(handle, sql, bindings),
      run: (sql, ...bindings) => run(handle, sql, bindings),
      insertPackages: (rows, added, seenRun) => packages.insert(rows, added, seenRun)
    }
  }
}
