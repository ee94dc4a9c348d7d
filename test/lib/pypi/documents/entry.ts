import fc from 'fast-check'
import t from 'tap'
import { type Flaw, packageOf } from '../../../../lib/pypi/documents/entry.js'
import type { FileEntry } from '../../../../lib/pypi/documents/format.js'
import { readFilename } from '../../../../lib/pypi/filename.js'
import type { Package } from '../../../../lib/pypi/package.js'

const context = {
  project: 'my-pkg',
  name: 'My.Pkg',
  url: 'https://index.example/simple/my-pkg/',
  base: 'https://index.example/simple/my-pkg/'
}
const nothing: FileEntry = {
  filename: undefined,
  url: undefined,
  digests: undefined,
  size: undefined,
  packageType: undefined,
  version: undefined,
  requiresPython: undefined,
  yanked: false,
  uploadTime: undefined,
  coreMetadata: undefined,
  provenance: undefined
}
const sha256 = 'ab'.repeat(32)

function read(entry: Partial<FileEntry>): { found: Package | Flaw; reports: Flaw[] } {
  const reports: Flaw[] = []
  const url = 'https://files.example/my_pkg-1.0.tar.gz'
  const found = packageOf({ ...nothing, url, ...entry }, context, error => reports.push(error))
  return { found, reports }
}

function field<K extends keyof Package>(key: K, entry: Partial<FileEntry>): Package[K] {
  return (read(entry).found as Package)[key]
}

t.same(
  read({
    filename: 'my_pkg-1.0-py3-none-any.whl',
    url: 'https://files.example/a/my_pkg-1.0-py3-none-any.whl#sha256=ff',
    digests: { sha256: sha256.toUpperCase(), md5: 'cd'.repeat(16) },
    size: 5,
    packageType: 'bdist_wheel',
    requiresPython: ' >=3.8 ',
    yanked: 'broken',
    uploadTime: '2024-01-02T03:04:05.600000Z',
    coreMetadata: { sha256 },
    provenance: 'p/1'
  }),
  {
    found: {
      project: 'my-pkg',
      name: 'My.Pkg',
      version: '1.0',
      filename: 'my_pkg-1.0-py3-none-any.whl',
      url: 'https://files.example/a/my_pkg-1.0-py3-none-any.whl',
      digests: { sha256, md5: 'cd'.repeat(16) },
      size: 5,
      packageType: 'bdist_wheel',
      requiresPython: '>=3.8',
      yanked: 'broken',
      uploadTime: '2024-01-02T03:04:05.6Z',
      coreMetadata: { sha256 },
      provenance: 'https://index.example/simple/my-pkg/p/1'
    },
    reports: []
  }
)

t.test('URLs are made absolute; those of other schemes or with credentials are refused', async t => {
  for (const [url, expected] of [
    ['../../f/my_pkg-1.0.zip', 'https://index.example/f/my_pkg-1.0.zip'],
    ['//cdn.example/my_pkg-1.0.zip', 'https://cdn.example/my_pkg-1.0.zip'],
    ['/my_pkg-1.0.zip?token=1', 'https://index.example/my_pkg-1.0.zip?token=1'],
    ['HTTP://H.example:80/a/../my_pkg-1.0.zip', 'http://h.example/my_pkg-1.0.zip'],
    ['https://h.example/a/./my_pkg-1.0.zip', 'https://h.example/a/my_pkg-1.0.zip'],
    ['https://h.example/a/../my_pkg-1.0.zip', 'https://h.example/my_pkg-1.0.zip'],
    ['https://h.example/my pkg-1.0.zip', 'https://h.example/my%20pkg-1.0.zip'],
    ['https://h.example//my_pkg-1.0.zip', 'https://h.example//my_pkg-1.0.zip'],
    ['http://127.1/my_pkg-1.0.zip', 'http://127.0.0.1/my_pkg-1.0.zip'],
    ['https://h.example/a/%2e%2E/my_pkg-1.0.zip', 'https://h.example/my_pkg-1.0.zip'],
    ['http://127.0.0.1:8080/my_pkg-1.0.zip', 'http://127.0.0.1:8080/my_pkg-1.0.zip'],
    ['http://127.0.0.01:8080/my_pkg-1.0.zip', 'http://127.0.0.1:8080/my_pkg-1.0.zip'],
    ['http://1.2.3.256/my_pkg-1.0.zip', undefined],
    ['http://h.example:80/my_pkg-1.0.zip', 'http://h.example/my_pkg-1.0.zip'],
    ['https://h.example:443/my_pkg-1.0.zip', 'https://h.example/my_pkg-1.0.zip'],
    ['https://h.example:8443/my_pkg-1.0.zip', 'https://h.example:8443/my_pkg-1.0.zip'],
    ['https://h.example:08443/my_pkg-1.0.zip', 'https://h.example:8443/my_pkg-1.0.zip'],
    ['https://h.example:65536/my_pkg-1.0.zip', undefined],
    ['http://1.example.0x7f/my_pkg-1.0.zip', undefined],
    ['https://xn--a/my_pkg-1.0.zip', undefined]
  ] as const) {
    const { found } = read({ url })
    t.equal('why' in found ? undefined : found.url, expected, url)
  }
  for (const [url, why] of [
    [undefined, /no URL/],
    [null, /no URL/],
    ['', /no URL/],
    [7, /no URL/],
    ['https://[::bad/my_pkg-1.0.zip', /URL is none/],
    ['file:///etc/my_pkg-1.0.zip', /file:/],
    ['ftp://h.example/my_pkg-1.0.zip', /ftp:/],
    ['javascript:alert(1)', /javascript:/],
    ['data:text/plain,x', /data:/],
    ['https://user:secret@h.example/my_pkg-1.0.zip', /credentials/],
    ['https://user@h.example/my_pkg-1.0.zip', /credentials/],
    [`https://h.example/${'a'.repeat(8200)}`, /longer than 8192/]
  ] as const) {
    const { found } = read({ url })
    t.match(found, { filename: undefined, why }, String(url).slice(0, 80))
    t.notMatch((found as Flaw).why, /secret/)
  }
})

t.test('URLs that are taken as they are would come out of the URL parser so', async t => {
  const host = fc.array(
    fc.constantFrom('a', 'xn--', 'B', '0', '1', '127', '256', '0x7f', '-', '.', 'é', '08'),
    { maxLength: 6 }
  )
  const port = fc.constantFrom('', ':', ':80', ':443', ':8080', ':65535', ':65536', ':0', ':08')
  const path = fc.array(
    fc.constantFrom('/', '.', '..', '%2e', '%', '%zz', 'x', ' ', '?', '#', '\\', '+', '~', '@', "'"),
    {
      maxLength: 8
    }
  )
  fc.assert(
    fc.property(fc.constantFrom('http://', 'https://'), host, port, path, (scheme, host, port, path) => {
      const url = `${scheme}${host.join('')}${port}/${path.join('')}`
      const { found } = read({ url, filename: 'my_pkg-1.0.zip' })
      if ('why' in found) return
      const expected = new URL(url)
      expected.hash = ''
      t.equal(found.url, expected.href)
    }),
    { seed: 20_240_717, numRuns: 3000 }
  )
})

t.test('the name comes from the URL where it is not given', async t => {
  t.equal(field('filename', { url: 'https://f.example/my_pkg-1.0%2Bl.tar.gz?x=1' }), 'my_pkg-1.0+l.tar.gz')
  t.equal(field('filename', { filename: 'my_pkg-2.0.zip' }), 'my_pkg-2.0.zip')
  t.match(read({ url: 'https://f.example/' }).found, { filename: undefined, why: /no name/ })
  t.match(read({ filename: '../up.whl' }).found, { filename: '../up.whl', why: /separator/ })
  t.equal((read({ filename: 'x'.repeat(5000) }).found as Flaw).filename?.length, 300, 'no long messages')
})

t.test('digests that are none are left out, with a record', async t => {
  t.same(field('digests', { digests: { sha256, blake2b_256: sha256, other: 'ff' } }), {
    sha256,
    blake2b_256: sha256,
    other: 'ff'
  })
  for (const [digests, expected, records] of [
    [{ sha256: 'xy'.repeat(32) }, {}, 1],
    [{ sha256: 'ab' }, {}, 1],
    [{ sha256: 5 }, {}, 1],
    [{ sha256: `${sha256}\n` }, {}, 1],
    [{ sha256: { toString: 'x' } }, {}, 1],
    [{ sha256, md5: sha256 }, { sha256 }, 1],
    [{ sha256: null, md5: '' }, {}, 0],
    [JSON.parse(`{"__proto__": "${sha256}", "constructor": "${sha256}"}`), { constructor: sha256 }, 1],
    [{ 'bad name': 'ff' }, {}, 1],
    ['sha256', {}, 0],
    [[sha256], {}, 0],
    [null, {}, 0]
  ] as const) {
    const { found, reports } = read({ digests })
    const { digests: left } = found as Package
    t.same(left, expected, JSON.stringify(digests))
    t.equal(Object.getPrototypeOf(left), Object.prototype)
    t.equal(reports.length, records)
    for (const report of reports) t.match(report, { filename: 'my_pkg-1.0.tar.gz', why: /left out/ })
  }
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`a${at}`, 'ff']))
  t.equal(Object.keys(field('digests', { digests: many })).length, 8, 'a file does not have a thousand')
})

t.test('sizes', async t => {
  for (const size of [0, 1, 519_533_778, 2 ** 53 - 1]) t.equal(field('size', { size }), size)
  for (const size of [-1, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, Number.NaN, '5', null, undefined])
    t.equal(field('size', { size }), undefined, String(size))
})

t.test('the version is that of the file name where both mean the same one', async t => {
  const filename = 'my_pkg-1.0-py3-none-any.whl'
  t.equal(field('version', { filename }), '1.0')
  t.equal(field('version', { filename, version: '1.0' }), '1.0')
  t.equal(field('version', { filename, version: '1.0.0' }), '1.0')
  t.equal(field('version', { filename, version: '2.0' }), '2.0')
  t.equal(field('version', { filename, version: 'unknown' }), 'unknown')
  t.equal(field('version', { filename: 'other.bin', version: '1.0' }), '1.0')
  t.equal(field('version', { filename: 'other.bin' }), undefined)
})

t.test('what a file name says is what readFilename says', async t => {
  const versions = [
    '1',
    '1.0',
    '1.0rc1',
    '1.0.0.0',
    '1.0-1',
    '1_0',
    '1.0.linux-x86_64',
    '',
    'x',
    '1.'.repeat(50)
  ]
  const names = ['my_pkg', 'My.Pkg', 'my-pkg', 'my', 'my_pkg_x', 'my__pkg', '.my_pkg', 'ünï']
  const ends = [
    '.tar.gz',
    '.zip',
    '.TAR.GZ',
    '-py3-none-any.whl',
    '-1-py3-none-any.whl',
    '-py3-any.whl',
    '-py3.6.egg'
  ]
  for (const name of names)
    for (const version of versions)
      for (const end of ends) {
        const filename = `${name}-${version}${end}`
        const { found } = read({ filename })
        if ('why' in found) continue
        t.match(found, readFilename(filename, 'my-pkg'), filename)
      }
})

t.test('long texts are cut, or do not count', async t => {
  t.equal(field('yanked', { yanked: 'x'.repeat(5000) }), 'x'.repeat(4096))
  t.equal(field('version', { filename: 'x.zip', version: '1'.repeat(300) }), undefined)
  t.equal(field('provenance', { provenance: `https://p.example/${'a'.repeat(9000)}` }), undefined)
})

t.test('kinds', async t => {
  t.equal(field('packageType', { packageType: 'bdist_dumb' }), 'bdist_dumb')
  for (const packageType of ['wheel', '', null, undefined, 7])
    t.equal(field('packageType', { packageType }), 'sdist')
  t.equal(field('packageType', { filename: 'notes.txt' }), 'unknown')
})

t.test('requires-python', async t => {
  t.equal(field('requiresPython', { requiresPython: '>=2.7, !=3.0.*' }), '>=2.7, !=3.0.*')
  for (const requiresPython of ['', ' ', null, undefined, 3])
    t.equal(field('requiresPython', { requiresPython }), undefined)
  const { found, reports } = read({ requiresPython: `>=3${' '.repeat(5000)}` })
  t.match([found, reports], [{ requiresPython: undefined }, [{ why: /longer than 4096/ }]])
})

t.test('times are brought to one form', async t => {
  for (const [uploadTime, expected] of [
    ['2018-03-14T21:30:34.781336Z', '2018-03-14T21:30:34.781336Z'],
    ['2018-03-14T21:30:34', '2018-03-14T21:30:34Z'],
    ['2018-03-14 21:30:34', '2018-03-14T21:30:34Z'],
    ['2018-03-14T21:30:34.000000Z', '2018-03-14T21:30:34Z'],
    ['2018-03-14T21:30:34.120Z', '2018-03-14T21:30:34.12Z'],
    ['2018-03-14T21:30:34.5+02:00', '2018-03-14T19:30:34.5Z'],
    ['2018-03-31T23:30:34-0100', '2018-04-01T00:30:34Z'],
    ['2018-03-31T21:30:34Z', '2018-03-31T21:30:34Z'],
    ['2018-13-14T21:30:34Z', undefined],
    ['2018-03-14', undefined],
    ['yesterday', undefined],
    [1521063034, undefined],
    [null, undefined],
    [undefined, undefined]
  ] as const)
    t.equal(field('uploadTime', { uploadTime }), expected, String(uploadTime))
})

t.test('core metadata and provenance', async t => {
  t.same(field('coreMetadata', { coreMetadata: { sha256 } }), { sha256 })
  for (const coreMetadata of [true, {}, { sha256: '' }])
    t.equal(field('coreMetadata', { coreMetadata }), true)
  for (const coreMetadata of [false, null, undefined, 'true', 1, []])
    t.equal(field('coreMetadata', { coreMetadata }), false, String(coreMetadata))
  const { found, reports } = read({ coreMetadata: { sha256: 'nope' } })
  t.equal((found as Package).coreMetadata, true, 'it is there, though with which digest is not known')
  t.equal(reports.length, 1)
  t.equal(field('provenance', { provenance: 'https://a.example/b' }), 'https://a.example/b')
  for (const provenance of [null, '', 5, 'file:///x', 'https://u:p@a.example/'])
    t.equal(field('provenance', { provenance }), undefined)
})
