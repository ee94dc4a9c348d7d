import t from 'tap'
import { legacyJson } from '../../../../lib/serve/documents/legacy-json.js'
import { indexed, pageOf } from '../../../helpers/indexed.js'

const read = (...files: Parameters<typeof pageOf>) =>
  JSON.parse(legacyJson(pageOf(...files), ({ filename }) => `http://x/${filename}`))

t.test('files by version, and those of the newest', async t => {
  const wheel = indexed('demo-1.10-py2.py3-none-any.whl', {
    digests: { sha256: 'a', md5: 'b' },
    size: 10,
    requiresPython: '>=3.8',
    uploadTime: '2026-01-01T00:00:00.5Z',
    coreMetadata: { sha256: 'c' }
  })
  const document = read(indexed('demo-1.9.tar.gz'), wheel, indexed('demo-2.0rc1.tar.gz'), indexed('odd', {}))
  t.match(document.info, {
    name: 'Demo',
    version: '1.10',
    requires_python: '>=3.8',
    yanked: false,
    yanked_reason: null
  })
  t.strictSame(Object.keys(document.releases).sort(), ['1.10', '1.9', '2.0rc1', 'unknown'])
  t.equal(document.last_serial, 42)
  t.strictSame(document.urls, document.releases['1.10'])
  t.strictSame(document.urls, [
    {
      ...{ comment_text: '', digests: { sha256: 'a', md5: 'b' }, downloads: -1 },
      ...{ filename: 'demo-1.10-py2.py3-none-any.whl', has_sig: false, md5_digest: 'b' },
      ...{ packagetype: 'bdist_wheel', python_version: 'py2.py3', requires_python: '>=3.8', size: 10 },
      ...{ upload_time: '2026-01-01T00:00:00', upload_time_iso_8601: '2026-01-01T00:00:00.5Z' },
      ...{ url: 'http://x/demo-1.10-py2.py3-none-any.whl', yanked: false, yanked_reason: null }
    }
  ])
  t.match(document.releases['1.9'][0], {
    ...{ python_version: 'source', size: null, upload_time: null, md5_digest: null, requires_python: null }
  })
  t.equal(document.releases.unknown[0].python_version, 'any')
})

t.test('the newest is one that can be had', async t => {
  const sdist = (version: string, yanked: false | string = false) =>
    indexed(`demo-${version}.tar.gz`, { yanked })
  t.equal(read(sdist('1.0'), sdist('2.0', 'bad')).info.version, '1.0')
  t.equal(read(sdist('1.0rc1'), sdist('2.0', 'bad')).info.version, '1.0rc1')
  t.match(read(sdist('1.0', ''), sdist('2.0', 'bad')).info, {
    version: '2.0',
    yanked: true,
    yanked_reason: 'bad'
  })
  t.match(read(sdist('2.0', '')).info, { yanked: true, yanked_reason: null })
  t.equal(read(sdist('2.0.dev1'), sdist('odd.version')).info.version, '2.0.dev1')
  t.match(read(indexed('odd')), { info: { version: 'unknown' }, urls: [{ filename: 'odd' }] })
})
