import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import sqlite3 from 'sqlite3'
import t from 'tap'
import { Database } from '../../../lib/catalog/database.js'
import { encodePackage } from '../../../lib/catalog/rows.js'
import { run } from '../../../lib/catalog/sqlite/connection.js'
import { BusyError } from '../../../lib/errors.js'
import { sdist } from '../../helpers/catalog.js'
import { ownServer } from '../../helpers/postgres.js'

/** Runs one statement on a file from outside. */
async function execute(path: string, sql: string): Promise<void> {
  const handle = new sqlite3.Database(path)
  await run(handle, sql)
  await new Promise(resolve => handle.close(resolve))
}

t.test('is made, closed and opened again', async t => {
  const path = join(t.testdir(), 'x.db')
  await (await Database.open(path, true)).close()
  const database = await Database.open(path, false)
  t.equal(database.location, path)
  t.strictSame(await database.use(connection => connection.all('SELECT * FROM packages')), [])
  await database.close()
  t.strictSame(readdirSync(t.testdirName).sort(), ['x.db', 'x.db-lock-open'], 'no log is left beside it')
})

t.test('in memory', async t => {
  const database = await Database.open(':memory:', false)
  t.strictSame(await database.use(connection => connection.all('SELECT * FROM packages')), [])
  const release = await database.lock('1')
  t.equal(await database.lock('1'), undefined)
  const other = await Database.open(':memory:', true)
  t.type(await other.lock('1'), 'function', 'another database, another lock')
  await release?.()
  t.type(await database.lock('1'), 'function')
  await database.close()
  await other.close()
})

t.test('many open one new file at once', async t => {
  const path = join(t.testdir(), 'x.db')
  const opened = await Promise.all(Array.from({ length: 8 }, () => Database.open(path, true)))
  for (const database of opened) await database.close()
})

t.test('what cannot be opened says why', async t => {
  const dir = t.testdir({
    'text.db': 'no database, but longer than the header of one\n'.repeat(20),
    folder: {}
  })
  const catalog = join(dir, 'none.db')
  await t.rejects(Database.open(catalog, false), {
    code: 'ERR_MILLRACE_CATALOG',
    catalog,
    message: /does not exist/
  })
  await t.rejects(Database.open(join(dir, 'none', 'x.db'), true), {
    code: 'ERR_MILLRACE_CATALOG',
    message: /its folder is not there/,
    cause: { code: 'SQLITE_CANTOPEN' }
  })
  await t.rejects(Database.open(join(dir, 'folder'), true), { code: 'ERR_MILLRACE_CATALOG' })
  await t.rejects(Database.open(join(dir, 'text.db'), true), {
    code: 'ERR_MILLRACE_CATALOG',
    message: /nor any SQLite database/,
    cause: { code: 'SQLITE_NOTADB' }
  })
})

t.test("another program's database is left alone", async t => {
  const path = join(t.testdir(), 'x.db')
  await execute(path, 'CREATE TABLE theirs (a)')
  await t.rejects(Database.open(path, true), { code: 'ERR_MILLRACE_CATALOG', message: /is not a catalog/ })
})

t.test("a newer Millrace's catalog is left alone", async t => {
  const path = join(t.testdir(), 'x.db')
  await (await Database.open(path, true)).close()
  await execute(path, "INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('9999-later', 2, 0)")
  await t.rejects(Database.open(path, true), { code: 'ERR_MILLRACE_CATALOG', message: /newer/ })
})

t.test('one process at a time makes the tables', async t => {
  const path = join(t.testdir(), 'x.db')
  const first = await Database.open(path, true)
  const release = await first.lock('open')
  await execute(path, 'DELETE FROM knex_migrations')
  await t.rejects(Database.open(path, true, 0), { code: 'ERR_MILLRACE_CATALOG', message: /being opened/ })
  await release?.()
  await first.close()
})

t.test('a transaction is kept whole or not at all, and an error is wrapped once', async t => {
  const database = await Database.open(':memory:', true)
  const insert = "INSERT INTO files (sha256, size, created_at) VALUES ('a', 1, '')"
  await t.rejects(
    database.transaction(async connection => {
      await connection.run(insert)
      await connection.run('nonsense')
    }),
    { code: 'ERR_MILLRACE_CATALOG', message: /failed: SQLITE_ERROR/, cause: { code: 'SQLITE_ERROR' } }
  )
  const busy = new BusyError('x')
  await t.rejects(
    database.transaction(async connection => {
      await connection.run(insert)
      throw busy
    }),
    busy
  )
  t.strictSame(await database.use(connection => connection.all('SELECT * FROM files')), [])
  t.equal(await database.transaction(connection => connection.run(insert)), 1)
  await database.close()
})

t.test('transactions of two processes that read and then write', async t => {
  const path = join(t.testdir(), 'x.db')
  const databases = await Promise.all([Database.open(path, true), Database.open(path, true)])
  // Open handles would keep a test that failed from ending.
  t.teardown(() => Promise.all(databases.map(database => database.close())))
  const count = async (database: Database) => {
    for (let n = 0; n < 20; n++) {
      await database.transaction(async connection => {
        const [row] = await connection.all<{ count: number }>('SELECT count(*) AS count FROM files')
        await new Promise(setImmediate)
        await connection.run(
          'INSERT INTO files (sha256, size, created_at) VALUES (?, 1, ?)',
          String(row?.count),
          ''
        )
      })
    }
  }
  await Promise.all(databases.map(count))
  const files = await databases[0].use(connection => connection.all('SELECT 1 FROM files'))
  t.equal(files.length, 40)
})

t.test('closed while it waits for its server', async t => {
  const server = await ownServer()
  const database = await Database.open(server.url, true)
  await server.halt()
  const waiting = t.rejects(
    database.use(connection => connection.all('SELECT 1')),
    { code: 'ERR_MILLRACE_CATALOG', message: /cannot be reached/ }
  )
  await sleep(50)
  await database.close()
  await waiting
  await server.start()
})

t.test('a full disk', async t => {
  const database = await Database.open(join(t.testdir(), 'x.db'), true)
  await database.use(async connection => {
    const [pages] = await connection.all<{ page_count: number }>('PRAGMA page_count')
    await connection.all(`PRAGMA max_page_count = ${(pages?.page_count ?? 0) + 10}`)
    await connection.run("INSERT INTO repositories (id, name, created_at) VALUES (1, 'x', '')")
    await connection.run("INSERT INTO projects (id, repository_id, project, name) VALUES (1, 1, 'x', 'x')")
  })
  const rows = Array.from({ length: 5000 }, (_, n) => encodePackage(sdist('x', `1.${n}`), 1, undefined))
  await t.rejects(
    database.transaction(connection => connection.insertPackages(rows, 1, 1)),
    { code: 'ERR_MILLRACE_CATALOG', message: /the disk is full/, cause: { code: 'SQLITE_FULL' } }
  )
  t.strictSame(await database.use(connection => connection.all('SELECT * FROM packages')), [])
  await database.close()
})

t.test('a lock that cannot be taken for another reason than its holder', async t => {
  const path = join(t.testdir(), 'x.db')
  const database = await Database.open(path, true)
  writeFileSync(`${path}-lock-1`, 'no database, but longer than the header of one\n'.repeat(20))
  await t.rejects(database.lock('1'), { code: 'ERR_MILLRACE_CATALOG', cause: { code: 'SQLITE_NOTADB' } })
  await database.close()
})

t.test('rows of projects that are not there are refused', async t => {
  const database = await Database.open(':memory:', true)
  await t.rejects(
    database.transaction(connection =>
      connection.insertPackages([encodePackage(sdist('x', '1'), 7, undefined)], 1, 1)
    ),
    { code: 'ERR_MILLRACE_CATALOG', cause: { code: 'SQLITE_CONSTRAINT' } }
  )
  await database.close()
})
