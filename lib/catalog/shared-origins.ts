/**
 * What the processes of a cluster may ask of an origin together: one row an origin, by the clock of the database.
 * Requests are not counted there: each process reserves the next free slots, a few at a time, and starts a request in
 * each.
 */
import type { SharedLimits } from '../http/origins.js'
import type { Database } from './database.js'

export class SharedOrigins implements SharedLimits {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async reserve(
    origin: string,
    slots: number,
    intervalMs: number
  ): Promise<{ readonly waitMs: number; readonly pausedMs: number }> {
    return await this.#database.use(async connection => {
      const { now } = connection.dialect
      const [row] = await connection.all<{ wait: number; paused: number }>(
        `INSERT INTO origins (origin, next_slot, paused_until)
         VALUES (CAST(?1 AS text), ${now} + CAST(?2 AS double precision), 0)
         ON CONFLICT (origin) DO UPDATE SET next_slot =
           CASE WHEN origins.next_slot > ${now} THEN origins.next_slot ELSE ${now} END + CAST(?2 AS double precision)
         RETURNING next_slot - CAST(?2 AS double precision) - ${now} AS wait, paused_until - ${now} AS paused`,
        ...[origin, slots * intervalMs]
      )
      const { wait, paused } = row as NonNullable<typeof row>
      return { waitMs: Math.max(0, wait), pausedMs: Math.max(0, paused) }
    })
  }

  async pause(origin: string, ms: number): Promise<void> {
    await this.#database.use(connection => {
      const { now } = connection.dialect
      return connection.run(
        `INSERT INTO origins (origin, next_slot, paused_until)
         VALUES (CAST(?1 AS text), 0, ${now} + CAST(?2 AS double precision))
         ON CONFLICT (origin) DO UPDATE SET paused_until =
           CASE WHEN origins.paused_until > excluded.paused_until THEN origins.paused_until ELSE excluded.paused_until END`,
        ...[origin, ms]
      )
    })
  }

  async paused(): Promise<readonly { readonly origin: string; readonly ms: number }[]> {
    return await this.#database.use(connection => {
      const { now } = connection.dialect
      return connection.all(
        `SELECT origin, paused_until - ${now} AS ms FROM origins WHERE paused_until > ${now}`
      )
    })
  }
}
