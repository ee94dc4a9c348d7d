import t from 'tap'
import { listingJson, simpleJson } from '../../../../lib/serve/documents/simple-json.js'
import { indexed, pageOf } from '../../../helpers/indexed.js'

const sha256 = 'ab'.repeat(32)

t.test('all that is known of a file, by the names of the PEPs', async t => {
  const file = indexed('demo-1.0-py3-none-any.whl', {
    digests: { sha256, md5: 'cd' },
    size: 10,
    requiresPython: '>=3.8, <4',
    yanked: 'broken "badly"',
    uploadTime: '2026-01-01T00:00:00.123456789Z',
    coreMetadata: { sha256 },
    provenance: 'https://example.org/p'
  })
  const page = JSON.parse(simpleJson(pageOf(file), () => '../x'))
  t.strictSame(page, {
    meta: { 'api-version': '1.4', '_last-serial': 42 },
    name: 'demo',
    'alternate-locations': [],
    'project-status': { status: 'active' },
    versions: ['1.0'],
    files: [
      {
        filename: 'demo-1.0-py3-none-any.whl',
        url: '../x',
        hashes: { sha256, md5: 'cd' },
        'requires-python': '>=3.8, <4',
        size: 10,
        'upload-time': '2026-01-01T00:00:00.123456Z',
        yanked: 'broken "badly"',
        'core-metadata': { sha256 },
        'data-dist-info-metadata': { sha256 },
        provenance: 'https://example.org/p'
      }
    ]
  })
})

t.test('what is not known', async t => {
  const page = {
    ...pageOf(indexed('demo-1.0.tar.gz'), indexed('demo.tar.gz', { yanked: '' })),
    statusReason: 'old'
  }
  const { files, versions, 'project-status': status } = JSON.parse(simpleJson(page, () => 'x'))
  t.strictSame(files[0], {
    ...{ filename: 'demo-1.0.tar.gz', url: 'x', hashes: {}, 'requires-python': null, yanked: false },
    ...{ 'core-metadata': false, 'data-dist-info-metadata': false, provenance: null }
  })
  t.equal(files[1].yanked, true, 'no reason')
  t.strictSame(versions, ['1.0'])
  t.strictSame(status, { status: 'active', reason: 'old' })
})

t.test('the list of projects', async t => {
  const row = (name: string) => ({ project: name.toLowerCase(), name, status: 'active', changed: 3 }) as const
  async function* pages() {
    yield [row('A'), row('B')]
    yield [row('c"')]
  }
  let text = ''
  for await (const piece of listingJson(9, pages(), ({ changed }) => changed)) text += piece
  t.strictSame(JSON.parse(text), {
    meta: { 'api-version': '1.4', '_last-serial': 9 },
    projects: ['A', 'B', 'c"'].map(name => ({ '_last-serial': 3, name }))
  })
})
