import { join } from 'node:path'
import sqlite3 from 'sqlite3'
import t from 'tap'
import {
  all,
  claim,
  finalize,
  identify,
  prepare,
  run,
  runStatement,
  setUp
} from '../../../../lib/catalog/sqlite/connection.js'

t.test('statements give rows, counts and errors', async t => {
  const handle = new sqlite3.Database(':memory:')
  t.equal(await run(handle, 'CREATE TABLE x (a INTEGER PRIMARY KEY, b TEXT)'), 0)
  t.equal(await run(handle, 'INSERT INTO x (b) VALUES (?), (?)', ['1', null]), 2)
  t.strictSame(await all(handle, 'SELECT b FROM x WHERE a > ?', [0]), [{ b: '1' }, { b: null }])
  const statement = await prepare(handle, 'INSERT INTO x (a) VALUES (?)')
  await runStatement(statement, [7])
  await t.rejects(runStatement(statement, [7]), { code: 'SQLITE_CONSTRAINT' })
  await finalize(statement)
  await t.rejects(prepare(handle, 'nonsense'), { code: 'SQLITE_ERROR' })
  await t.rejects(run(handle, 'nonsense'), { code: 'SQLITE_ERROR' })
  await t.rejects(all(handle, 'nonsense'), { code: 'SQLITE_ERROR' })
})

t.test('a connection is set up for one writer beside readers', async t => {
  const handle = new sqlite3.Database(join(t.testdir(), 'x.db'))
  await setUp(handle)
  t.strictSame(await all(handle, 'PRAGMA journal_mode'), [{ journal_mode: 'wal' }])
  t.strictSame(await all(handle, 'PRAGMA synchronous'), [{ synchronous: 1 }])
  t.strictSame(await all(handle, 'PRAGMA foreign_keys'), [{ foreign_keys: 1 }])
  t.strictSame(await all(handle, 'PRAGMA cache_size'), [{ cache_size: -16384 }])
})

t.test('a catalog is told from other files', async t => {
  const handle = new sqlite3.Database(':memory:')
  t.equal(await identify(handle), 'empty')
  await run(handle, 'CREATE TABLE x (a)')
  t.equal(await identify(handle), 'foreign')
  await claim(handle)
  t.equal(await identify(handle), 'catalog')
  const other = new sqlite3.Database(':memory:')
  await run(other, 'PRAGMA application_id = 42')
  t.equal(await identify(other), 'foreign')
})
