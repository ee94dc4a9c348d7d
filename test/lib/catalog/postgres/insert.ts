import t, { type Test } from 'tap'
import { all, connect, run } from '../../../../lib/catalog/postgres/connection.js'
import { insertPackages } from '../../../../lib/catalog/postgres/insert.js'
import { encodePackage } from '../../../../lib/catalog/rows.js'
import { sdist } from '../../../helpers/catalog.js'
import { emptyDatabase } from '../../../helpers/postgres.js'

async function setUp(t: Test) {
  const client = await connect(await emptyDatabase(t))
  t.teardown(() => client.end())
  await run(
    client,
    `CREATE TEMPORARY TABLE packages (id bigserial, project_id integer, filename text, name text, version text, url text,
      size bigint, sha256 text, digests text, package_type text, requires_python text, yanked text, upload_time text,
      core_metadata text, provenance text, file text, seen_run integer, added integer, removed integer,
      UNIQUE (project_id, filename, added))`
  )
  await run(client, 'CREATE TEMPORARY TABLE runs (id serial, state text)')
  for (let id = 1; id < 10; id++) await run(client, "INSERT INTO runs (state) VALUES ('running')")
  return client
}

t.test('any number of rows, each once', async t => {
  const client = await setUp(t)
  for (const count of [0, 1, 2, 2400, 5000]) {
    const rows = Array.from({ length: count }, (_, n) =>
      encodePackage(sdist('x', `1.${n}`), n + 1, undefined)
    )
    await insertPackages(client, rows, 4, 9)
    const found = await all<Record<string, unknown>>(client, 'SELECT * FROM packages ORDER BY project_id')
    t.strictSame(
      found.map(row => [row.project_id, row.filename, row.size, row.added, row.seen_run, row.removed]),
      rows.map(row => [row[0], row[1], 1000, 4, 9, null])
    )
    await run(client, 'DELETE FROM packages')
  }
})

t.test('values keep their type: null, empty, numbers, quotes, other scripts', async t => {
  const client = await setUp(t)
  const pkg = sdist('x', '1.0', {
    yanked: '',
    requiresPython: 'NULL',
    size: 2 ** 53 - 1,
    version: '007',
    filename: 'ü漢😀{},"\\ \n.tar.gz'
  })
  await insertPackages(client, [encodePackage(pkg, 2 ** 31 - 1, undefined)], 1, 1)
  t.match(await all(client, 'SELECT * FROM packages'), [
    {
      ...{ project_id: 2 ** 31 - 1, filename: pkg.filename, yanked: '', requires_python: 'NULL' },
      ...{ size: 2 ** 53 - 1, version: '007', upload_time: null, file: null, digests: null }
    }
  ])
})

t.test('a draft that is there already is replaced, a row of another version is not', async t => {
  const client = await setUp(t)
  await insertPackages(client, [encodePackage(sdist('x', '1.0'), 1, undefined)], 1, 1)
  await insertPackages(client, [encodePackage(sdist('x', '1.0', { yanked: 'a' }), 1, undefined)], 2, 2)
  await insertPackages(client, [encodePackage(sdist('x', '1.0', { yanked: 'b' }), 1, 'ff')], 2, 3)
  t.strictSame(await all(client, 'SELECT yanked, file, added, seen_run FROM packages ORDER BY id'), [
    { yanked: null, file: null, added: 1, seen_run: 1 },
    { yanked: 'b', file: 'ff', added: 2, seen_run: 3 }
  ])
})

t.test('nothing gets into a run that has ended', async t => {
  const client = await setUp(t)
  await run(client, "UPDATE runs SET state = 'done' WHERE id = 2")
  for (const id of [2, 99]) {
    const rows = [encodePackage(sdist('x', '1.0'), 1, undefined)]
    await t.rejects(insertPackages(client, rows, 1, id), { code: 'ERR_MILLRACE_RUN_ENDED', run: id })
  }
  t.strictSame(await all(client, 'SELECT * FROM packages'), [])
})
