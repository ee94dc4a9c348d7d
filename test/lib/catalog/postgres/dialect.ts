import t from 'tap'
import { all, connect } from '../../../../lib/catalog/postgres/connection.js'
import { dialect } from '../../../../lib/catalog/postgres/dialect.js'
import { checkDialect } from '../../../helpers/dialect.js'
import { emptyDatabase } from '../../../helpers/postgres.js'

t.test('gives what each dialect gives', async t => {
  const client = await connect(await emptyDatabase(t))
  t.teardown(() => client.end())
  await checkDialect(t, dialect, (sql, bindings) => all(client, sql, bindings))
})
