import t from 'tap'
import { input, whole } from '../../../helpers/documents.js'

const file = (version: string, more: object = {}) => ({
  filename: `example-${version}.tar.gz`,
  url: `https://f.example/example-${version}.tar.gz`,
  ...more
})
const info = { name: 'Example', version: '2.0' }
const read = (document: object) => whole(JSON.stringify(document), input('Example'))
const names = (document: object) => read(document).packages.map(({ filename }) => filename)
const first = (entry: object) => read({ info, releases: { '1.0': [file('1.0', entry)] } }).packages[0]

t.test('which files count', async t => {
  const [one, two] = [file('1.0'), file('2.0')]
  t.same(names({ info, releases: { '1.0': [one], '2.0': [two] }, urls: [two] }), [one.filename, two.filename])
  t.same(names({ info, urls: [two] }), [two.filename], 'documents of one version have no releases')
  t.same(names({ info, releases: {}, urls: [two] }), [two.filename])
  t.same(names({ info, releases: null, urls: [two] }), [two.filename])
  t.same(names({ info, releases: { '1.0': [], '2.0': [] }, urls: [two] }), [two.filename])
  t.same(names({ info, releases: { '1.0': [one] }, urls: [two] }), [one.filename, two.filename])
  t.same(names({ releases: { '1.0': [one] }, urls: [two] }), [one.filename], 'of no version')
  t.same(names({ info, releases: { '1.0': [one], '2.0': null }, urls: null }), [one.filename])
  t.same(names({ info, releases: {}, urls: [] }), [], 'a project without files')
  t.match(read({ info }).errors, [/lists no files/])
  t.match(read({ info, releases: null, urls: null }).errors, [/lists no files/])
  t.match(read({ info, releases: [], urls: {} }).errors, [/lists no files/])
})

t.test('versions', async t => {
  const odd = read({ info, releases: { '1.0beta5prerelease': [{ ...file('9'), filename: 'x.tar.gz' }] } })
  t.match(odd.packages, [{ version: '1.0beta5prerelease' }])
  t.match(read({ info, urls: [{ ...file('9'), filename: 'x.tar.gz' }] }).packages, [{ version: '2.0' }])
  t.match(read({ info, releases: { '1.0.0': [file('1.0')] } }).packages, [{ version: '1.0' }])
  t.match(read({ urls: [file('1.0')] }).packages, [{ version: '1.0' }])
})

t.test('digests', async t => {
  const [sha256, md5] = ['ab'.repeat(32), 'cd'.repeat(16)]
  t.same(first({ digests: { sha256, md5 }, md5_digest: 'ef'.repeat(16) })?.digests, { sha256, md5 })
  t.same(first({ digests: { sha256 }, md5_digest: md5 })?.digests, { sha256, md5 })
  t.same(first({ md5_digest: md5 })?.digests, { md5 })
  t.same(first({ digests: null, md5_digest: md5 })?.digests, { md5 })
  t.same(first({ digests: { sha256 }, md5_digest: null })?.digests, { sha256 })
  t.same(first({ md5_digest: '' })?.digests, {})
})

t.test('yanked', async t => {
  t.equal(first({ yanked: true, yanked_reason: 'oops' })?.yanked, 'oops')
  t.equal(first({ yanked: true, yanked_reason: null })?.yanked, '')
  t.equal(first({ yanked: false, yanked_reason: 'oops' })?.yanked, false)
  t.equal(first({ yanked: null })?.yanked, false)
})

t.test('other fields', async t => {
  t.match(first({ upload_time: '2020-01-01T00:00:00', upload_time_iso_8601: '2020-01-01T00:00:00.5Z' }), {
    uploadTime: '2020-01-01T00:00:00.5Z'
  })
  t.match(first({ upload_time: '2020-01-01T00:00:00', upload_time_iso_8601: null }), {
    uploadTime: '2020-01-01T00:00:00Z'
  })
  t.match(first({ size: 5, packagetype: 'bdist_dumb', requires_python: '>=3' }), {
    size: 5,
    packageType: 'bdist_dumb',
    requiresPython: '>=3',
    coreMetadata: false,
    provenance: undefined
  })
  t.match(first({ size: null, packagetype: null, requires_python: null }), {
    size: undefined,
    packageType: 'sdist',
    requiresPython: undefined
  })
})

t.match(read({ info, last_serial: 9, urls: [] }).about, { name: 'Example', serial: 9 })
t.match(read({ info, last_serial: 0, urls: [] }).about, { serial: undefined })
t.match(read({ info: { name: 'another' }, urls: [] }).errors, [/"another"/])
t.match(read({ urls: [file('1.0')], info: null }).packages, [{ name: 'Example', project: 'example' }])
t.match(
  whole(JSON.stringify({ info, urls: [file('1.0')] })).packages,
  [{ name: 'Example' }],
  'the name as published'
)
