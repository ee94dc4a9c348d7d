/**
 * The database that a test file's catalogs are in: SQLite, or PostgreSQL where `test/postgres/` runs the file once more.
 * Every test has one of its own.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import sqlite3 from 'sqlite3'
import type { Test } from 'tap'
import { Catalog } from '../../lib/catalog/catalog.js'
import { all, connect } from '../../lib/catalog/postgres/connection.js'

/** The URL of a database with an empty catalog, from which others are made. */
const TEMPLATE = process.env.MILLRACE_TEST_POSTGRES

export const onPostgres: boolean = TEMPLATE !== undefined

/** Options of a test of what only a file has. */
export const sqliteOnly: { readonly skip?: string } = onPostgres ? { skip: 'of SQLite' } : {}

/** The codes of errors that both databases have. */
export const CODES = onPostgres
  ? { notNull: '23502', foreignKey: '23503', syntax: '42601' }
  : { notNull: 'SQLITE_CONSTRAINT', foreignKey: 'SQLITE_CONSTRAINT', syntax: 'SQLITE_ERROR' }

/** Where a test's catalog is to be; in a file it is made by whoever opens it. */
export async function newLocation(t: Test, folder: string): Promise<string> {
  return TEMPLATE === undefined ? join(folder, 'catalog.db') : await newDatabase(t, TEMPLATE)
}

/** A copy of the database of a URL, dropped when the test ends. */
export async function newDatabase(t: Test, template: string): Promise<string> {
  const name = `millrace_${randomBytes(6).toString('hex')}`
  const location = new URL(template)
  await administer(template, `CREATE DATABASE ${name} TEMPLATE ${location.pathname.slice(1)}`)
  t.teardown(() => administer(template, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  location.pathname = `/${name}`
  return location.href
}

/** Makes a database with an empty catalog on a server, to make others from. Returns its URL. */
export async function makeTemplate(server: string): Promise<string> {
  const template = new URL(server)
  template.pathname = `/millrace_template_${randomBytes(6).toString('hex')}`
  await administer(server, `CREATE DATABASE ${template.pathname.slice(1)}`)
  await (await Catalog.open(template.href)).close()
  return template.href
}

export async function dropTemplate(template: string): Promise<void> {
  await administer(template, `DROP DATABASE ${new URL(template).pathname.slice(1)} WITH (FORCE)`)
}

let pool: pg.Pool | undefined

async function administer(url: string, sql: string): Promise<void> {
  const location = new URL(url)
  location.pathname = '/postgres'
  pool ??= new pg.Pool({ connectionString: location.href, allowExitOnIdle: true })
  await pool.query(sql)
}

/** Runs one statement on a catalog's database from outside. */
export async function execute<Row>(location: string, sql: string): Promise<Row[]> {
  if (!location.startsWith('postgres:')) {
    const handle = new sqlite3.Database(location)
    try {
      return await new Promise((resolve, reject) =>
        handle.all(sql, (error: Error | null, rows: Row[]) => (error ? reject(error) : resolve(rows)))
      )
    } finally {
      await new Promise(resolve => handle.close(resolve))
    }
  }
  const client = await connect(location)
  try {
    return await all<Row>(client, sql)
  } finally {
    await client.end()
  }
}
