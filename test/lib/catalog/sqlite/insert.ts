import sqlite3 from 'sqlite3'
import t from 'tap'
import { encodePackage, type PackageRow } from '../../../../lib/catalog/rows.js'
import { all, run } from '../../../../lib/catalog/sqlite/connection.js'
import { PackageInserter } from '../../../../lib/catalog/sqlite/insert.js'
import { sdist } from '../../../helpers/catalog.js'

async function setUp() {
  const handle = new sqlite3.Database(':memory:')
  await run(
    handle,
    `CREATE TABLE packages (id INTEGER PRIMARY KEY, project_id INTEGER, filename TEXT, name TEXT, version TEXT, url TEXT,
      size INTEGER, sha256 TEXT, digests TEXT, package_type TEXT, requires_python TEXT, yanked TEXT, upload_time TEXT,
      core_metadata TEXT, provenance TEXT, file TEXT, seen_run INTEGER, added INTEGER, removed INTEGER,
      UNIQUE (project_id, filename, added))`
  )
  return { handle, inserter: new PackageInserter(handle) }
}

for (const count of [0, 1, 2, 32, 33, 240, 241, 720, 721, 1441]) {
  t.test(`${count} rows, each once`, async t => {
    const { handle, inserter } = await setUp()
    const rows = Array.from({ length: count }, (_, n) =>
      encodePackage(sdist('x', `1.${n}`), n + 1, undefined)
    )
    await inserter.insert(rows, 4, 9)
    const found = await all<Record<string, unknown>>(handle, 'SELECT * FROM packages ORDER BY project_id')
    t.strictSame(
      found.map(row => [row.project_id, row.filename, row.size, row.added, row.seen_run, row.removed]),
      rows.map(row => [row[0], row[1], 1000, 4, 9, null])
    )
    await inserter.close()
    t.equal(await new Promise(resolve => handle.close(resolve)), null, 'no statement is left')
  })
}

t.test('values keep their type: null, empty, numbers, other scripts', async t => {
  const { handle, inserter } = await setUp()
  const pkg = sdist('x', '1.0', {
    yanked: '',
    requiresPython: '',
    size: 2 ** 53 - 1,
    version: '007',
    filename: 'ü漢😀-1.tar.gz'
  })
  const row: PackageRow = encodePackage(pkg, 2 ** 40, undefined)
  await inserter.insert([row], 1, 1)
  const [found] = await all<Record<string, unknown>>(handle, 'SELECT * FROM packages')
  t.match(found, {
    project_id: 2 ** 40,
    filename: pkg.filename,
    yanked: '',
    requires_python: '',
    size: 2 ** 53 - 1,
    version: '007',
    upload_time: null,
    file: null,
    digests: null
  })
})

t.test('a draft that is there already is replaced, a row of another version is not', async t => {
  const { handle, inserter } = await setUp()
  await inserter.insert([encodePackage(sdist('x', '1.0'), 1, undefined)], 1, 1)
  await inserter.insert([encodePackage(sdist('x', '1.0', { yanked: 'a' }), 1, undefined)], 2, 2)
  await inserter.insert([encodePackage(sdist('x', '1.0', { yanked: 'b' }), 1, 'ff')], 2, 3)
  t.strictSame(await all(handle, 'SELECT yanked, file, added, seen_run FROM packages ORDER BY id'), [
    { yanked: null, file: null, added: 1, seen_run: 1 },
    { yanked: 'b', file: 'ff', added: 2, seen_run: 3 }
  ])
})

t.test('an error of the database is passed on', async t => {
  const { handle, inserter } = await setUp()
  await run(handle, 'DROP TABLE packages')
  await t.rejects(inserter.insert([encodePackage(sdist('x', '1.0'), 1, undefined)], 1, 1), {
    code: 'SQLITE_ERROR'
  })
})
