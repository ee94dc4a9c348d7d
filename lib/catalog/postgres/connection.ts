/**
 * One PostgreSQL connection: how it is made and set up, and how statements are written for it.
 */
import pg from 'pg'
import type { Value } from '../driver.js'

/** All tables are in a schema of their own, so that a database may be shared: with a queue, or with anything else. */
export const SCHEMA = 'millrace'

/** Of the server: what tells of a transaction whether it was committed came with 13. */
const OLDEST_VERSION = 13

/** How long a connection may take to come about. */
const CONNECT_TIMEOUT_MS = 30_000

/**
 * - `jit`: compiling a statement takes longer than any of ours that is planned anew for each batch.
 * - `tcp_keepalives_*`: a process that is cut off from the network gives its locks back after half a minute; so does,
 *   with `idle_in_transaction_session_timeout`, one that stops in the middle of a transaction.
 * - `synchronous_commit`: where it is off, a crash takes back what a run was told is saved.
 */
const SET_UP = `SET search_path TO ${SCHEMA}; SET jit TO off; SET idle_in_transaction_session_timeout TO 60000;
  SET tcp_keepalives_idle TO 15; SET tcp_keepalives_interval TO 5; SET tcp_keepalives_count TO 3;
  SELECT set_config('synchronous_commit', 'local', false) WHERE current_setting('synchronous_commit') = 'off'`

/** @see https://www.postgresql.org/docs/current/catalog-pg-type.html pg_type.oid of bool, int8 and numeric (a sum of int8). */
const [BOOL, INT8, NUMERIC] = [16, 20, 1700]

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') => {
    // As SQLite has them. No number of ours is past 2 ** 53.
    if (oid === BOOL) return (text: string) => (text === 't' ? 1 : 0)
    if (oid === INT8 || oid === NUMERIC) return Number
    return pg.types.getTypeParser(oid, format)
  }) as pg.CustomTypesConfig['getTypeParser']
}

/** What a connection to the database of a URL is made with. */
export function settings(location: string): pg.ClientConfig {
  return {
    connectionString: location,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    fallback_application_name: 'millrace',
    keepAlive: true,
    types
  }
}

/** Sets up a new connection. */
export async function setUp(client: pg.Client): Promise<void> {
  await client.query(SET_UP)
}

/** Makes a connection that is no pool's. */
export async function connect(location: string): Promise<pg.Client> {
  const client = new pg.Client(settings(location))
  // Whoever uses it learns of it by a rejection, or by 'end'; without a listener it would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    await setUp(client)
    return client
  } catch (error) {
    client.end().catch(() => {})
    throw error
  }
}

/** Resolves with the rows. */
export async function all<Row>(
  client: pg.Client,
  sql: string,
  bindings: readonly Value[] = []
): Promise<Row[]> {
  return (await client.query(translate(sql), [...bindings])).rows as Row[]
}

/** Resolves with the number of rows changed. */
export async function run(client: pg.Client, sql: string, bindings: readonly Value[] = []): Promise<number> {
  return (await client.query(translate(sql), [...bindings])).rowCount ?? 0
}

const translated = new Map<string, string>()

/** A statement as PostgreSQL numbers its bindings. It finds the order of joins itself, for which SQLite needs a CROSS. */
export function translate(sql: string): string {
  let text = translated.get(sql)
  if (text === undefined) {
    let at = 0
    text = sql
      .replace(/\?(\d*)/g, (_, number: string) => `$${number === '' ? ++at : number}`)
      .replace(/\bCROSS JOIN\b/g, 'JOIN')
    translated.set(sql, text)
  }
  return text
}

/** Whether the database has a catalog, or none yet, or what is in the catalog's place is something else. */
export async function identify(client: pg.Client): Promise<'catalog' | 'empty' | 'foreign' | 'old'> {
  const [found] = await all<{ version: number; catalog: number; tables: number }>(
    client,
    `SELECT CAST(current_setting('server_version_num') AS integer) / 10000 AS version,
       to_regclass('${SCHEMA}.knex_migrations') IS NOT NULL AS catalog,
       (SELECT count(*) FROM pg_tables WHERE schemaname = '${SCHEMA}') AS tables`
  )
  const { version, catalog, tables } = found as NonNullable<typeof found>
  if (version < OLDEST_VERSION) return 'old'
  return catalog === 1 ? 'catalog' : tables === 0 ? 'empty' : 'foreign'
}

/** Makes the catalog's schema. Whoever may not make one can be given one that is empty. */
export async function claim(client: pg.Client): Promise<void> {
  const there = await all(client, 'SELECT 1 FROM pg_namespace WHERE nspname = ?', [SCHEMA])
  if (there.length === 0) await run(client, `CREATE SCHEMA ${SCHEMA}`)
}
