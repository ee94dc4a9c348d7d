import t from 'tap'
import { isPostgresUrl, shownLocation } from '../../../../lib/catalog/postgres/location.js'

t.test('is told from a file', async t => {
  for (const location of ['postgres://h/d', 'postgresql://h/d', 'POSTGRES:///d'])
    t.ok(isPostgresUrl(location))
  for (const location of ['x.db', ':memory:', './postgres:/x', 'mysql://h/d', 'x/postgres://']) {
    t.notOk(isPostgresUrl(location))
  }
})

t.test('is shown without what is secret', async t => {
  const shown = {
    'postgres://user:secret@db.example:5433/mirror?sslmode=require&password=secret':
      'postgres://db.example:5433/mirror',
    'postgres://user:p@secret/x@db.example/mirror': 'postgres://db.example/mirror',
    'postgres:///mirror?host=/run/postgresql&user=secret': 'postgres:///mirror'
  }
  for (const [location, expected] of Object.entries(shown)) t.equal(shownLocation(location), expected)
  t.throws(() => shownLocation('postgres://user:secret@db:port/x'), {
    code: 'ERR_MILLRACE_OPTION',
    option: 'catalog',
    message: /^((?!secret).)*$/,
    cause: undefined
  })
})
