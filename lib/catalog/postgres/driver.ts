/**
 * A catalog in a PostgreSQL database.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import knexModule, { type Knex } from 'knex'
import type pg from 'pg'
import { CatalogError } from '../../errors.js'
import type { Driver, Release, Session, Value } from '../driver.js'
import type { PackageRow } from '../rows.js'
import { all, claim, connect, identify, run, settings, setUp } from './connection.js'
import { dialect } from './dialect.js'
import { insertPackages } from './insert.js'
import { shownLocation } from './location.js'
import { Locks } from './lock.js'
import { isConnectionLost, reason, retryAfter } from './retry.js'

/** The longest time that Node's timers can count: a statement waits for a connection as long as it takes. */
const FOR_EVER_MS = 2 ** 31 - 1

/** Between two questions of what became of a transaction. */
const ASK_AGAIN_MS = 100

export class PostgresDriver implements Driver {
  readonly location: string
  readonly knex: Knex
  readonly rowsAStatement = Number.POSITIVE_INFINITY
  readonly #url: string
  readonly #locks: Locks

  constructor(location: string, connections: number) {
    this.location = shownLocation(location)
    this.#url = location
    this.#locks = new Locks(location)
    this.knex = knexModule({
      client: 'pg',
      connection: { ...settings(location) } as Knex.PgConnectionConfig,
      acquireConnectionTimeout: FOR_EVER_MS,
      // What knex has to say of lost connections it would say on stdout.
      log: { warn() {} },
      pool: {
        min: 0,
        max: connections,
        afterCreate: (client: pg.Client, done: (error: unknown) => void) => setUp(client).then(done, done)
      }
    })
  }

  async exists(): Promise<boolean> {
    const session = await this.session()
    return (await this.identify(session).finally(() => session.release())) !== 'empty'
  }

  async session(): Promise<PostgresSession> {
    return new PostgresSession(await this.knex.client.acquireConnection(), this)
  }

  async identify({ client }: PostgresSession): Promise<'catalog' | 'empty' | 'foreign'> {
    const kind = await identify(client)
    if (kind === 'old') throw new CatalogError(this.location, 'is on a PostgreSQL server older than 13')
    return kind
  }

  async claim({ client }: PostgresSession): Promise<void> {
    await claim(client)
  }

  async lock(name: string, waitMs: number): Promise<Release | undefined> {
    return await this.#locks.take(name, waitMs)
  }

  reason(error: unknown): string | undefined {
    return reason(error)
  }

  retryAfter(error: unknown, attempt: number, failingMs: number): number | undefined {
    return retryAfter(error, attempt, failingMs)
  }

  async close(): Promise<void> {
    await this.knex.destroy()
  }

  /** Whether a transaction was committed whose COMMIT had no answer. Rejects if the server does not come back. */
  async committed(transaction: string): Promise<boolean> {
    const askedAt = performance.now()
    for (let attempt = 1; ; attempt++) {
      try {
        // Of its own: the pool may have no other than the one that was lost.
        const client = await connect(this.#url)
        try {
          while (true) {
            const [row] = await all<{ status: string | null }>(
              client,
              'SELECT pg_xact_status(CAST(? AS xid8)) AS status',
              [transaction]
            )
            if (row?.status !== 'in progress') return row?.status === 'committed'
            await sleep(ASK_AGAIN_MS)
          }
        } finally {
          await client.end().catch(() => {})
        }
      } catch (error) {
        const delay = retryAfter(error, attempt, performance.now() - askedAt)
        if (delay === undefined) throw error
        await sleep(delay)
      }
    }
  }
}

class PostgresSession implements Session {
  readonly dialect = dialect
  readonly client: pg.Client
  readonly #driver: PostgresDriver
  #transaction = ''

  constructor(client: pg.Client, driver: PostgresDriver) {
    this.client = client
    this.#driver = driver
  }

  all<Row>(sql: string, ...bindings: Value[]): Promise<Row[]> {
    return all(this.client, sql, bindings)
  }

  run(sql: string, ...bindings: Value[]): Promise<number> {
    return run(this.client, sql, bindings)
  }

  insertPackages(rows: readonly PackageRow[], added: number, runId: number): Promise<void> {
    return insertPackages(this.client, rows, added, runId)
  }

  async begin(): Promise<void> {
    // Several statements have several results, which pg's types do not say.
    const results = (await this.client.query(
      'BEGIN; SELECT CAST(pg_current_xact_id() AS text) AS id'
    )) as unknown as [unknown, pg.QueryResult<{ id: string }>]
    this.#transaction = (results[1].rows[0] as { id: string }).id
  }

  async commit(): Promise<void> {
    try {
      await run(this.client, 'COMMIT')
    } catch (error) {
      if (!isConnectionLost(error) || !(await this.#driver.committed(this.#transaction))) throw error
    }
  }

  async rollback(): Promise<void> {
    // What was not committed is gone with a connection that was lost.
    await run(this.client, 'ROLLBACK').catch(() => {})
  }

  async release(): Promise<void> {
    await this.#driver.knex.client.releaseConnection(this.client)
  }
}
