import t from 'tap'
import type { IndexedPackage } from '../../../../lib/catalog/index-reader.js'
import {
  fileKey,
  filePath,
  linkDigest,
  projectPage,
  projectSerial,
  repositorySerial,
  versionsOf
} from '../../../../lib/serve/documents/page.js'
import { indexed } from '../../../helpers/indexed.js'

const repository = {
  ...{ id: 1, name: 'pypi', version: 3, fetchedRun: 1 },
  ...{ createdAt: '2026-01-01T00:00:00.500Z', modifiedAt: '2026-01-02T00:00:00Z' }
}

t.test('serials grow with versions, tell statuses apart, and repositories made anew', async t => {
  const { createdAt } = repository
  const serials = [
    projectSerial(repository, 1, 'active'),
    projectSerial(repository, 1, 'archived'),
    projectSerial(repository, 1, 'deprecated'),
    projectSerial(repository, 1, 'quarantined'),
    projectSerial(repository, 2, 'active')
  ]
  t.strictSame(serials, [...new Set(serials)].sort())
  t.equal(repositorySerial(repository), projectSerial({ createdAt }, 3, 'quarantined'))
  t.not(projectSerial({ createdAt: '2026-01-01T00:01:00Z' }, 1, 'active'), serials[0])
  t.ok(Number.isSafeInteger(serials[0]))
})

t.test('a project in quarantine has no files', async t => {
  const files = [indexed('demo-1.0.tar.gz')]
  const project = { id: 1, project: 'demo', name: 'Demo', statusReason: undefined }
  t.strictSame(projectPage(repository, { ...project, status: 'archived' }, files, 2).files, files)
  t.strictSame(projectPage(repository, { ...project, status: 'quarantined' }, files, 2).files, [])
})

t.test('versions, each once, in order', async t => {
  const files = [
    '1.10',
    '1.9',
    '2.0rc1',
    '2.0',
    'unknown',
    '1.9',
    undefined,
    '2.0.dev1',
    'b-odd',
    '1!0.1',
    'a-odd'
  ].map(version => ({ version }) as IndexedPackage)
  t.strictSame(versionsOf(files), [
    'a-odd',
    'b-odd',
    'unknown',
    '1.9',
    '1.10',
    '2.0.dev1',
    '2.0rc1',
    '2.0',
    '1!0.1'
  ])
  t.strictSame(versionsOf([]), [])
})

t.test('what names a file', async t => {
  const odd = indexed('Odd name+1.0 &x.tar.gz', { digests: {} })
  t.equal(fileKey(odd), 'id-7')
  t.equal(filePath(odd), 'files/demo/id-7/Odd%20name%2B1.0%20%26x.tar.gz')
  const sha256 = 'a'.repeat(64)
  t.equal(fileKey(indexed('x', { digests: { sha256 } })), sha256)
  t.equal(linkDigest({ md5: '1', sha512: '2' }), 'sha512=2')
  t.equal(linkDigest({ blake2b_256: '1' }), undefined)
})
