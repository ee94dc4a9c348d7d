import t from 'tap'
import { judge } from '../../../lib/catalog/known.js'
import type { FoundPackage } from '../../../lib/catalog/packages.js'
import { encodePackage, PACKAGE_COLUMNS } from '../../../lib/catalog/rows.js'
import type { Package } from '../../../lib/pypi/package.js'
import { sdist } from '../../helpers/catalog.js'

function found(pkg: Package, id: number, added: number, file?: string): FoundPackage {
  const row = encodePackage(pkg, 5, file)
  const columns = Object.fromEntries(PACKAGE_COLUMNS.map((column, at) => [column, row[at]]))
  return { ...(columns as unknown as FoundPackage), at: 0, id, added }
}

const pkg = sdist('x', '1.0')
const yanked = { ...pkg, yanked: 'broken' }
const other = { ...pkg, digests: { sha256: 'ff' } }

t.test('what a package is compared with its rows', async t => {
  t.strictSame(judge(pkg, undefined), { known: 'new' })
  t.strictSame(judge(pkg, [found(pkg, 1, 1)]), {
    known: 'same',
    stored: undefined,
    row: { id: 1, added: 1, url: pkg.url, file: undefined, draft: undefined }
  })
  t.match(judge(pkg, [found(pkg, 1, 1, 'f1')]), { known: 'same', stored: 'f1', row: { file: 'f1' } })
  t.strictSame(judge(pkg, [found(yanked, 1, 1)]), { known: 'changed', stored: undefined })
  t.strictSame(
    judge(pkg, [found(yanked, 1, 1, 'f1')]),
    { known: 'changed', stored: 'f1' },
    'the file is still right'
  )
  t.strictSame(
    judge(pkg, [found(other, 1, 1, 'f1')]),
    { known: 'changed', stored: undefined },
    'another file'
  )
})

t.test('a draft stands before the row of the current version', async t => {
  t.match(judge(yanked, [found(pkg, 1, 1), found(yanked, 2, 2)]), {
    known: 'same',
    row: { id: 2, draft: undefined }
  })
  t.match(judge(pkg, [found(pkg, 1, 1), found(yanked, 2, 2)]), { known: 'same', row: { id: 1, draft: 2 } })
  t.match(judge(other, [found(pkg, 1, 1), found(yanked, 2, 2)]), { known: 'changed' })
})
