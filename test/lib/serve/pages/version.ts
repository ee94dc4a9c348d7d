import t from 'tap'
import type { Change } from '../../../../lib/catalog/changes.js'
import type { StoredPackage } from '../../../../lib/catalog/rows.js'
import { Links } from '../../../../lib/serve/pages/links.js'
import { versionPage } from '../../../../lib/serve/pages/version.js'
import { indexed } from '../../../helpers/indexed.js'
import { createdAt, repository, version } from '../../../helpers/pages.js'

const links = new Links('/-/repositories/x/versions/2')

function change(
  kind: Change['change'],
  project: string,
  before: Partial<StoredPackage>,
  after: Partial<StoredPackage>
): Change {
  const filename = `${project}-1.0.tar.gz`
  return {
    ...{ change: kind, project, filename },
    before: kind === 'added' ? undefined : indexed(filename, { project, ...before }),
    after: kind === 'removed' ? undefined : indexed(filename, { project, ...after })
  }
}

t.test('changes, those of a project together', async t => {
  const items = [
    change('added', 'a', {}, { size: 1500 }),
    change('changed', 'a', { yanked: false }, { yanked: '<b>bad' }),
    change('removed', 'gone', {}, {})
  ]
  const previous = { ...version, number: 1 }
  const page = versionPage(
    links,
    repository,
    { version, previous, next: 3 },
    { items, next: { kind: 'added', id: 7 } }
  )
  t.equal(page.match(/<section class="changes">/g)?.length, 2)
  t.match(page, 'x%402/projects/a">')
  t.match(page, 'x%401/projects/gone">', 'where it still was')
  t.match(page, /class="hidden">added <\/span>.*1\.5 kB/)
  t.match(page, /yanked<\/dt><dd><del><bdi>no<\/bdi><\/del>.*<ins><bdi>&lt;b&gt;bad<\/bdi>/)
  t.match(page, 'rel="prev"')
  t.match(page, 'versions/3">Version 3')
  t.match(page, 'href="?after=added-7"')
  t.notMatch(page, 'forgotten')
})

t.test('all that may differ is told', async t => {
  const before: Partial<StoredPackage> = {
    ...{
      yanked: '',
      requiresPython: undefined,
      digests: { md5: 'aa' },
      size: 1,
      version: undefined,
      name: 'A'
    },
    ...{ packageType: 'unknown', uploadTime: undefined, coreMetadata: false, provenance: undefined }
  }
  const after: Partial<StoredPackage> = {
    ...{
      yanked: false,
      requiresPython: '>=3',
      digests: { sha256: 'cc', md5: 'bb' },
      size: 2,
      version: '1.0',
      name: 'a'
    },
    ...{
      packageType: 'sdist',
      uploadTime: createdAt,
      coreMetadata: { sha256: 'dd' },
      provenance: 'https://p.example/'
    }
  }
  const place = { version, previous: undefined, next: undefined }
  const page = versionPage(links, repository, place, {
    items: [
      change('changed', 'a', before, after),
      change('changed', 'b', { coreMetadata: true }, { coreMetadata: false })
    ],
    next: undefined
  })
  const told = [...page.matchAll(/<dt>([^<]+)<\/dt><dd><del><bdi>([^<]*)<\/bdi>.*?<ins><bdi>([^<]*)</g)].map(
    found => found.slice(1)
  )
  t.strictSame(told, [
    ['yanked', 'yes', 'no'],
    ['requires-python', 'any', '&gt;=3'],
    ['sha256', 'none', 'cc'],
    ['digests', 'md5 aa', 'md5 bb'],
    ['size', '1 B', '2 B'],
    ['version', 'none', '1.0'],
    ['name', 'A', 'a'],
    ['type', 'unknown', 'sdist'],
    ['uploaded', 'unknown', createdAt],
    ['metadata', 'no', 'sha256 dd'],
    ['provenance', 'none', 'https://p.example/'],
    ['metadata', 'yes', 'no']
  ])
  t.match(page, 'The version before it was forgotten')
  const first = { ...place, version: { ...version, number: 1 } }
  t.notMatch(versionPage(links, repository, first, { items: [], next: undefined }), 'forgotten')
})
