import t from 'tap'
import { input, whole } from '../../../helpers/documents.js'

const file = { filename: 'example-1.0.tar.gz', url: 'https://f.example/example-1.0.tar.gz', hashes: {} }
const page = (more: object, entry: object = {}) =>
  JSON.stringify({ meta: { 'api-version': '1.1' }, name: 'example', files: [{ ...file, ...entry }], ...more })
const first = (entry: object) => whole(page({}, entry)).packages[0]

t.match(first({}), {
  project: 'example',
  version: '1.0',
  filename: 'example-1.0.tar.gz',
  packageType: 'sdist',
  size: undefined,
  yanked: false,
  coreMetadata: false,
  requiresPython: undefined,
  uploadTime: undefined,
  provenance: undefined
})

t.test('yanked', async t => {
  t.equal(first({ yanked: true })?.yanked, '')
  t.equal(first({ yanked: 'bad build' })?.yanked, 'bad build')
  for (const yanked of [false, null, '', 0, 1, {}]) t.equal(first({ yanked })?.yanked, false)
})

t.test('the three names of core metadata, the newest first', async t => {
  const sha256 = 'ab'.repeat(32)
  t.same(first({ 'core-metadata': { sha256 }, 'dist-info-metadata': false })?.coreMetadata, { sha256 })
  t.equal(first({ 'core-metadata': false, 'dist-info-metadata': true })?.coreMetadata, false)
  t.equal(first({ 'dist-info-metadata': true })?.coreMetadata, true)
  t.same(first({ 'data-dist-info-metadata': { sha256 } })?.coreMetadata, { sha256 })
})

t.test('other fields', async t => {
  t.match(
    first({
      size: 7,
      'requires-python': '>=3.8',
      'upload-time': '2024-01-01T00:00:00Z',
      provenance: 'https://p.example/x',
      hashes: { sha256: 'cd'.repeat(32) }
    }),
    {
      size: 7,
      requiresPython: '>=3.8',
      uploadTime: '2024-01-01T00:00:00Z',
      provenance: 'https://p.example/x',
      digests: { sha256: 'cd'.repeat(32) }
    }
  )
})

t.test('what it says of the project', async t => {
  const about = (more: object) => whole(page(more)).about
  t.same(about({ meta: { 'api-version': '1.4', '_last-serial': 42 } }), {
    name: 'example',
    serial: 42,
    status: undefined,
    statusReason: undefined
  })
  t.match(about({ 'project-status': { status: 'archived', reason: 'done' } }), {
    status: 'archived',
    statusReason: 'done'
  })
  t.match(about({ 'project-status': { status: 'sleeping' } }), { status: undefined })
  t.match(about({ 'project-status': 'archived' }), { status: undefined })
})

t.test('a quarantined project offers nothing; an archived and a deprecated one still do', async t => {
  for (const [status, packages] of [
    ['quarantined', 0],
    ['archived', 1],
    ['deprecated', 1],
    ['active', 1]
  ] as const) {
    const read = whole(page({ 'project-status': { status } }))
    t.equal(read.packages.length, packages, status)
    t.match(read, { errors: { length: 0 }, about: { status } })
  }
})

t.test('another major version of the API is refused', async t => {
  t.match(whole(page({ meta: { 'api-version': '2.0' } })).errors, [/2\.0/])
  t.strictSame(whole(page({ meta: undefined })).errors, [])
})

t.test('the document of another project is refused', async t => {
  t.match(whole(page({ name: 'other' })).errors, [/"other", not of example/])
  t.match(whole(page({ name: 'Ex__ample' }), input('ex.ample')).packages[0], {
    name: 'Ex__ample',
    project: 'ex-ample'
  })
  t.match(whole(page({}), input('Example')).packages[0], { name: 'Example' }, 'the listing says more')
  t.match(whole(page({ name: null }), input('Example')).packages[0], { name: 'Example' })
})
