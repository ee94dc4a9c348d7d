import sqlite3 from 'sqlite3'
import t from 'tap'
import { all } from '../../../../lib/catalog/sqlite/connection.js'
import { dialect } from '../../../../lib/catalog/sqlite/dialect.js'
import { checkDialect } from '../../../helpers/dialect.js'

t.test('gives what each dialect gives', async t => {
  const handle = new sqlite3.Database(':memory:')
  await checkDialect(t, dialect, (sql, bindings) => all(handle, sql, bindings))
})
