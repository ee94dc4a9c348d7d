/**
 * Locks that die with their process: advisory locks of one session, on a connection that does nothing else.
 *
 * Should that connection be lost, another takes the same locks as soon as the server is back. What could happen between
 * is found out where it matters: whoever takes over a repository ends the run that had it, and each transaction of a
 * run makes sure that it was not ended.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Release } from '../driver.js'
import { all, connect, run } from './connection.js'
import { retryAfter } from './retry.js'

/** 'MLRC': the first half of our locks' keys, which are the whole database's. The other is the name, if that is a number. */
const CLASS = 0x4d4c5243
const OPENING = 0

/** Between two tries. */
const TRY_AGAIN_MS = 50

export class Locks {
  readonly #location: string
  readonly #held = new Set<string>()
  #connecting: Promise<pg.Client> | undefined
  #connected: pg.Client | undefined

  constructor(location: string) {
    this.#location = location
  }

  /** Takes a lock, waiting at most `waitMs`; resolves with `undefined` when another holds it. */
  async take(name: string, waitMs: number): Promise<Release | undefined> {
    const giveUpAt = performance.now() + waitMs
    while (!(await this.#try(name))) {
      if (performance.now() >= giveUpAt) return undefined
      await sleep(TRY_AGAIN_MS)
    }
    return async () => {
      if (this.#held.delete(name)) await this.#giveBack(name)
    }
  }

  async #try(name: string): Promise<boolean> {
    // The server would give one session the same lock twice.
    if (this.#held.has(name)) return false
    this.#held.add(name)
    let taken = false
    try {
      taken = await lock(await (this.#connecting ?? this.#keep(this.#connect())), name)
    } finally {
      if (!taken) {
        this.#held.delete(name)
        await this.#closeUnused()
      }
    }
    return taken
  }

  async #giveBack(name: string): Promise<void> {
    // Where the connection is lost, the lock is, too.
    const client = await this.#connecting?.catch(() => undefined)
    if (this.#held.size > 0 && client !== undefined)
      await run(client, 'SELECT pg_advisory_unlock(?, ?)', [CLASS, keyOf(name)]).catch(() => {})
    await this.#closeUnused()
  }

  async #closeUnused(): Promise<void> {
    if (this.#held.size > 0) return
    const client = this.#connected
    this.#connecting = this.#connected = undefined
    await client?.end().catch(() => {})
  }

  #keep(connecting: Promise<pg.Client>): Promise<pg.Client> {
    this.#connecting = connecting
    connecting.catch(() => {
      if (this.#connecting === connecting) this.#connecting = undefined
    })
    return connecting
  }

  async #connect(): Promise<pg.Client> {
    const client = await connect(this.#location)
    this.#connected = client
    client.once('end', () => {
      if (this.#connected === client && this.#held.size > 0) this.#keep(this.#reconnect())
    })
    return client
  }

  async #reconnect(lostAt = performance.now(), attempt = 1): Promise<pg.Client> {
    try {
      const client = await this.#connect()
      for (const name of this.#held) await lock(client, name)
      return client
    } catch (error) {
      const delay = retryAfter(error, attempt, performance.now() - lostAt)
      if (delay === undefined || this.#held.size === 0) throw error
      await sleep(delay)
    }
    return await this.#reconnect(lostAt, attempt + 1)
  }
}

async function lock(client: pg.Client, name: string): Promise<boolean> {
  const [row] = await all<{ taken: number }>(client, 'SELECT pg_try_advisory_lock(?, ?) AS taken', [
    CLASS,
    keyOf(name)
  ])
  return row?.taken === 1
}

function keyOf(name: string): number {
  return name === 'open' ? OPENING : Number(name)
}
