/** PostgreSQL databases for tests of what only PostgreSQL has. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import t, { type Test } from 'tap'
import { type PostgresServer, startPostgres } from './postgres-server.js'

let server: Promise<PostgresServer> | undefined

/** The server of this test file, which it may stop and start. */
export function ownServer(): Promise<PostgresServer> {
  server ??= startPostgres().then(started => {
    t.teardown(() => started.stop())
    return started
  })
  return server
}

/** The URL of an empty database of a test's own. */
export async function emptyDatabase(test: Test): Promise<string> {
  const location = new URL(process.env.DATABASE_URL ?? (await ownServer()).url)
  const name = `millrace_${randomBytes(6).toString('hex')}`
  const client = new pg.Client(location.href)
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  test.teardown(async () => {
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`).catch(() => {})
    await client.end()
  })
  // Where a test stops the server.
  client.on('error', () => {})
  location.pathname = `/${name}`
  return location.href
}
