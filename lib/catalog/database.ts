/**
 * The database under the catalog: opens and migrates it, gives transactions, locks and wrapped errors, and tries again
 * what may succeed the next time. What kind of database it is only its driver knows.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CatalogError, MillraceError } from '../errors.js'
import type { Connection, Driver, Release, Session } from './driver.js'
import { migrate, schemaState } from './migrations.js'
import { isPostgresUrl } from './postgres/location.js'
import type { PackageRow } from './rows.js'
import { SqliteDriver } from './sqlite/driver.js'

export type { Connection, Release, Value } from './driver.js'

/** How long an opening process waits for another's migrations. */
const MIGRATION_WAIT_MS = 60_000

export class Database {
  readonly #driver: Driver
  /** Since when nothing has succeeded, as `performance.now()` counts; `undefined` while all is well. */
  #failingSince: number | undefined
  #open = false
  #closed = false

  private constructor(driver: Driver) {
    this.#driver = driver
  }

  /** Whether there is anything to be opened. @throws {@link CatalogError} */
  static async exists(location: string): Promise<boolean> {
    const driver = await driverOf(location, 1)
    try {
      return await driver.exists()
    } catch (error) {
      throw new Database(driver).wrap(error)
    } finally {
      await driver.knex.destroy()
    }
  }

  /** Opens the database, makes it where `create` allows, and brings its schema up to date. @throws {@link CatalogError} */
  static async open(
    location: string,
    create: boolean,
    migrationWaitMs = MIGRATION_WAIT_MS,
    connections = 1
  ): Promise<Database> {
    const driver = await driverOf(location, connections)
    const database = new Database(driver)
    try {
      if (!create && !(await driver.exists())) throw new CatalogError(driver.location, 'does not exist')
      await database.#prepare(migrationWaitMs)
    } catch (error) {
      await driver.knex.destroy()
      throw database.wrap(error)
    }
    database.#open = true
    return database
  }

  /** Where it is, without credentials. */
  get location(): string {
    return this.#driver.location
  }

  /**
   * Runs `work` on a connection, outside a transaction. It may run more than once, if the connection is lost.
   * @throws {@link CatalogError}
   */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return await this.#persist(() => this.#withSession(work))
  }

  /**
   * Runs `work` in a transaction that is rolled back when `work` fails. It may run more than once, in a transaction
   * each time, of which one is kept. @throws {@link CatalogError}
   */
  async transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return await this.#persist(() =>
      this.#withSession(async session => {
        await session.begin()
        try {
          const result = await work(session)
          await session.commit()
          return result
        } catch (error) {
          await session.rollback()
          throw error
        }
      })
    )
  }

  /** Inserts package rows, of which no two have one key, in a transaction of their own. @throws {@link CatalogError} */
  async insertPackages(rows: readonly PackageRow[], added: number, runId: number): Promise<void> {
    const insert = (connection: Connection) => connection.insertPackages(rows, added, runId)
    // One statement is a transaction already: a turn of the event loop, where BEGIN and COMMIT make it three.
    await (rows.length <= this.#driver.rowsAStatement ? this.use(insert) : this.transaction(insert))
  }

  /** Takes the lock `name`, which dies with the process; `undefined` when another holds it after `waitMs`. */
  async lock(name: string, waitMs = 0): Promise<Release | undefined> {
    return await this.#persist(() => this.#driver.lock(name, waitMs))
  }

  /** May be called more than once. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#driver.close()
  }

  /** The error for whoever called, wrapped once. */
  wrap(error: unknown): Error {
    if (error instanceof MillraceError) return error
    const reason = this.#driver.reason(error) ?? `failed: ${(error as Error).message}`
    return new CatalogError(this.location, reason, error)
  }

  async #prepare(migrationWaitMs: number): Promise<void> {
    const { knex } = this.#driver
    const kind = await this.#withSession(session => this.#driver.identify(session))
    if (kind === 'foreign') throw new CatalogError(this.location, 'is not a catalog of Millrace')
    const state = await schemaState(knex)
    if (state === 'newer') throw new CatalogError(this.location, 'was written by a newer Millrace')
    if (state === 'current') return
    const release = await this.lock('open', migrationWaitMs)
    if (release === undefined) throw new CatalogError(this.location, 'is being opened by another process')
    try {
      await this.#withSession(session => this.#driver.claim(session))
      await migrate(knex)
    } finally {
      await release()
    }
  }

  /** Tries again as the driver says. What fails while the database is opened is not tried again: its URL may be wrong. */
  async #persist<T>(work: () => Promise<T>, attempt = 1): Promise<T> {
    try {
      const result = await work()
      this.#failingSince = undefined
      return result
    } catch (error) {
      const now = performance.now()
      const failingMs = now - (this.#failingSince ?? now)
      const delay = this.#open ? this.#driver.retryAfter(error, attempt, failingMs) : undefined
      if (delay === undefined) throw this.wrap(error)
      this.#failingSince ??= now
      await sleep(delay)
      if (this.#closed) throw this.wrap(error)
    }
    return await this.#persist(work, attempt + 1)
  }

  async #withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#driver.session()
    try {
      return await work(session)
    } finally {
      await session.release()
    }
  }
}

async function driverOf(location: string, connections: number): Promise<Driver> {
  if (!isPostgresUrl(location)) return new SqliteDriver(location, connections)
  // Loaded only where it is used.
  const { PostgresDriver } = await import('./postgres/driver.js')
  return new PostgresDriver(location, connections)
}
