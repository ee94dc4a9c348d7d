/**
 * A catalog in a SQLite file, or in memory.
 */
import { existsSync } from 'node:fs'
import knexModule, { type Knex } from 'knex'
import type { Database as Handle } from 'sqlite3'
import type { Driver, Release, Session, Value } from '../driver.js'
import type { PackageRow } from '../rows.js'
import { all, claim, identify, run, setUp } from './connection.js'
import { dialect } from './dialect.js'
import { PackageInserter, ROWS_A_STATEMENT } from './insert.js'
import { lock } from './lock.js'

/** The longest time that Node's timers can count: a query waits for the connection as long as it takes. */
const FOR_EVER_MS = 2 ** 31 - 1

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

export class SqliteDriver implements Driver {
  readonly location: string
  readonly knex: Knex
  readonly rowsAStatement = ROWS_A_STATEMENT
  readonly #sessions = new WeakMap<Handle, SqliteSession>()
  /** Names locked here, where no other process can see the database. */
  readonly #held = new Set<string>()

  constructor(location: string, connections: number) {
    this.location = location
    this.knex = knexModule({
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
  }

  async exists(): Promise<boolean> {
    return this.location === ':memory:' || existsSync(this.location)
  }

  async session(): Promise<SqliteSession> {
    const handle: Handle = await this.knex.client.acquireConnection()
    let session = this.#sessions.get(handle)
    if (session === undefined) {
      session = new SqliteSession(handle, this.knex)
      this.#sessions.set(handle, session)
    }
    return session
  }

  async identify({ handle }: SqliteSession): Promise<'catalog' | 'empty' | 'foreign'> {
    return await identify(handle)
  }

  async claim({ handle }: SqliteSession): Promise<void> {
    await claim(handle)
  }

  async lock(name: string, waitMs: number): Promise<Release | undefined> {
    if (this.location !== ':memory:') return await lock(this.location, name, waitMs)
    if (this.#held.has(name)) return undefined
    this.#held.add(name)
    return async () => {
      this.#held.delete(name)
    }
  }

  reason(error: unknown): string | undefined {
    return REASONS[(error as NodeJS.ErrnoException).code ?? '']
  }

  /** What fails in a file fails again. */
  retryAfter(): undefined {}

  async close(): Promise<void> {
    const session = await this.session()
    await session.packages.close()
    await session.release()
    await this.knex.destroy()
  }
}

class SqliteSession implements Session {
  readonly dialect = dialect
  readonly handle: Handle
  readonly packages: PackageInserter
  readonly #knex: Knex

  constructor(handle: Handle, knex: Knex) {
    this.handle = handle
    this.packages = new PackageInserter(handle)
    this.#knex = knex
  }

  all<Row>(sql: string, ...bindings: Value[]): Promise<Row[]> {
    return all(this.handle, sql, bindings)
  }

  run(sql: string, ...bindings: Value[]): Promise<number> {
    return run(this.handle, sql, bindings)
  }

  insertPackages(rows: readonly PackageRow[], added: number, runId: number): Promise<void> {
    return this.packages.insert(rows, added, runId)
  }

  async begin(): Promise<void> {
    // IMMEDIATE: a transaction that begins by reading could not go on to write once another process wrote.
    await run(this.handle, 'BEGIN IMMEDIATE')
  }

  async commit(): Promise<void> {
    await run(this.handle, 'COMMIT')
  }

  async rollback(): Promise<void> {
    // SQLite has rolled back by itself after some errors, a full disk among them.
    await run(this.handle, 'ROLLBACK').catch(() => {})
  }

  async release(): Promise<void> {
    await this.#knex.client.releaseConnection(this.handle)
  }
}
