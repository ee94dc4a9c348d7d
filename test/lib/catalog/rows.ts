import t from 'tap'
import {
  decodePackage,
  encodePackage,
  inKeyOrder,
  PACKAGE_COLUMNS,
  type PackageRow,
  type StoredRow,
  sameFile,
  sameState
} from '../../../lib/catalog/rows.js'
import type { Package } from '../../../lib/pypi/package.js'
import { sdist } from '../../helpers/catalog.js'

function stored(row: PackageRow): StoredRow & { project: string; added: number } {
  const entries = PACKAGE_COLUMNS.map((column, at) => [column, row[at]])
  return { ...(Object.fromEntries(entries) as StoredRow), project: 'x', added: 3 }
}

const full: Package = {
  ...sdist('x', '1.0'),
  digests: { sha256: 'aa', md5: 'bb', blake2b_256: 'cc' },
  requiresPython: '>=3.9',
  yanked: 'broken',
  uploadTime: '2024-01-01T00:00:00Z',
  coreMetadata: { sha256: 'dd' },
  provenance: 'https://index.example/p'
}

t.test('a package is read as it was written', async t => {
  const states: Package[] = [
    full,
    sdist('x', '1.0'),
    { ...full, yanked: '' },
    { ...full, coreMetadata: true },
    { ...full, digests: {} },
    { ...full, digests: { md5: 'bb' } },
    { ...full, size: 0, version: undefined },
    { ...full, size: undefined }
  ]
  for (const pkg of states) {
    const { file, added, ...read } = decodePackage(stored(encodePackage(pkg, 7, 'ff')))
    t.strictSame(read, pkg)
    t.equal(file, 'ff')
    t.equal(added, 3)
  }
  t.equal(decodePackage(stored(encodePackage(full, 7, undefined))).file, undefined)
})

t.test('a core metadata entry without digests still says that it is there', async t => {
  t.equal(
    decodePackage(stored(encodePackage({ ...full, coreMetadata: {} }, 7, undefined))).coreMetadata,
    true
  )
})

t.test('the order in which upstream lists digests is no change', async t => {
  const one = encodePackage({ ...full, digests: { sha256: 'aa', md5: 'bb', sha1: 'cc' } }, 7, undefined)
  const other = encodePackage({ ...full, digests: { sha1: 'cc', md5: 'bb', sha256: 'aa' } }, 7, undefined)
  t.strictSame(one, other)
})

t.test('what PostgreSQL has not is replaced, and reads the same ever after', async t => {
  const odd = { ...full, requiresPython: '>=3\0', yanked: '\ud800', digests: { ...full.digests, md5: 'b\0' } }
  const row = encodePackage(odd, 7, undefined)
  t.notMatch(JSON.stringify(row), /\\u0000|\\ud800/)
  t.ok(sameState(encodePackage(odd, 7, undefined), stored(row)))
  t.match(row, encodePackage({ ...odd, requiresPython: '>=3\ufffd', yanked: '\ufffd' }, 7, undefined))
})

t.test('each thing that upstream says is part of the state; URL and file are not', async t => {
  const row = encodePackage(full, 7, undefined)
  t.ok(sameState(row, stored(row)))
  t.ok(sameState(row, stored(encodePackage({ ...full, url: 'https://elsewhere.example/' }, 7, 'ff'))))
  const changes: Partial<Package>[] = [
    { name: 'X' },
    { version: '1.0.0' },
    { size: 1001 },
    { digests: { sha256: 'ab' } },
    { digests: { ...full.digests, md5: 'b0' } },
    { packageType: 'unknown' },
    { requiresPython: undefined },
    { yanked: false },
    { yanked: '' },
    { uploadTime: undefined },
    { coreMetadata: true },
    { coreMetadata: { sha256: 'de' } },
    { provenance: undefined }
  ]
  for (const change of changes) {
    t.notOk(
      sameState(row, stored(encodePackage({ ...full, ...change }, 7, undefined))),
      JSON.stringify(change)
    )
  }
})

t.test('the file is the same while size and digests are', async t => {
  const row = encodePackage(full, 7, undefined)
  t.ok(sameFile(row, stored(encodePackage({ ...full, yanked: false, requiresPython: '>=4' }, 7, 'ff'))))
  for (const change of [{ size: 1 }, { digests: { sha256: 'ab' } }, { digests: { sha256: 'aa' } }]) {
    t.notOk(sameFile(row, stored(encodePackage({ ...full, ...change }, 7, 'ff'))), JSON.stringify(change))
  }
})

t.test('rows go in key order, each key once, the last one counting', async t => {
  const rows: PackageRow[] = [
    [10, 'b', 1],
    [9, 'z', 2],
    [10, 'a', 3],
    [10, 'b', 4],
    [9, 'z', 5]
  ]
  t.strictSame(inKeyOrder(rows), [
    [9, 'z', 5],
    [10, 'a', 3],
    [10, 'b', 4]
  ])
  t.strictSame(inKeyOrder([]), [])
})
