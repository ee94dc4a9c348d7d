import { readFileSync } from 'node:fs'
import t from 'tap'
import { RecordError } from '../../../lib/errors.js'
import { documentLimits } from '../../../lib/pypi/documents/limits.js'
import {
  type ListedProject,
  type ListingAbout,
  type ListingInput,
  readListing
} from '../../../lib/pypi/listing.js'
import { chunks } from '../../helpers/documents.js'
import { sharedData } from '../../helpers/shared-data.js'

const url = 'https://index.example/simple/'

interface Read {
  readonly projects: ListedProject[]
  readonly errors: RecordError[]
  readonly about: ListingAbout
}

async function read(
  content: string | Uint8Array,
  size = 65_536,
  input: Partial<ListingInput> = {},
  limits = {}
): Promise<Read> {
  const projects: ListedProject[] = []
  const errors: RecordError[] = []
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const batches = readListing(
    chunks(bytes, size),
    { url, contentType: undefined, ...input },
    documentLimits(limits)
  )
  for (;;) {
    const batch = await batches.next()
    if (batch.done) return { projects, errors, about: batch.value }
    for (const item of batch.value) {
      if (item instanceof RecordError) errors.push(item)
      else projects.push(item)
    }
  }
}
const names = async (html: string, input: Partial<ListingInput> = {}) =>
  (await read(html, 65_536, input)).projects.map(({ name }) => name)

const json = JSON.stringify({
  version: 1,
  meta: { '_last-serial': 99, 'api-version': '1.1' },
  projects: [
    { '_last-serial': 3, name: 'Some.Name' },
    { name: 'some_name' },
    { name: 'other' },
    { name: 'bad name' },
    { name: 5 },
    { name: '../up' },
    { name: '__proto__' },
    { name: 'x'.repeat(201) },
    null,
    'text',
    { name: 'last' }
  ]
})

for (const size of [1, 7, 65_536]) {
  t.test(`JSON, ${size} at a time`, async t => {
    const { projects, errors, about } = await read(json, size)
    t.strictSame(projects, [
      { project: 'some-name', name: 'Some.Name', url: undefined, serial: 3 },
      { project: 'other', name: 'other', url: undefined, serial: undefined },
      { project: 'last', name: 'last', url: undefined, serial: undefined }
    ])
    t.strictSame(about, { total: 3, serial: 99 })
    t.same(
      errors.map(({ filename }) => filename),
      ['bad name', undefined, '../up', '__proto__', 'x'.repeat(200), undefined, undefined]
    )
    for (const error of errors) t.match(error, { code: 'ERR_MILLRACE_RECORD', url })
  })

  t.test(`HTML, ${size} at a time`, async t => {
    const page = `<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0"><title>Simple index</title>
      </head><body><a href="/simple/some-name/">Some.Name</a>
      <a href="other/"><b>other</b></a><a href="https://elsewhere.example/simple/third#x">third</a>
      <a href="/">home</a><a href="/login">Log in</a><a href="x-1.0.zip">x</a><a href="mailto:last">last</a>
      <a href="bad%20name/">bad name</a></body></html><!--SERIAL 12-->`
    const { projects, errors, about } = await read(page, size)
    t.strictSame(projects, [
      {
        project: 'some-name',
        name: 'Some.Name',
        url: 'https://index.example/simple/some-name/',
        serial: undefined
      },
      { project: 'other', name: 'other', url: 'https://index.example/simple/other/', serial: undefined },
      { project: 'third', name: 'third', url: 'https://elsewhere.example/simple/third', serial: undefined }
    ])
    t.strictSame(about, { total: 3, serial: 12 })
    t.match(errors, [{ filename: 'bad name' }])
  })
}

t.test('pages of web servers', async t => {
  const apache =
    '<title>Index of /x</title><a href="?C=N">Name</a><a href="/">Parent Directory</a><a href="black/">black/</a>' +
    '<a href="a-very-long-project-name/">a-very-long-proj..&gt;</a><a href="another/">ano…</a><a href="wrong/">right..&gt;</a>'
  t.same(await names(apache), ['black', 'a-very-long-project-name', 'another'])
  const bare = '<a href="black">black</a><br><a href="pytest">pytest</a><a href="/elsewhere">elsewhere</a>'
  t.same(await names(bare), ['black', 'pytest'], 'what does not say what it is leads to folders below')
  const base = '<base href="projects/"><a href="black/">black</a>'
  t.match((await read(base)).projects, [{ url: 'https://index.example/simple/projects/black/' }])
  const broken = '<base href="https://[bad"><a href="black/">black</a>'
  t.match((await read(broken)).projects, [{ url: 'https://index.example/simple/black/' }])
  t.same(await names('<title>Simple index</title>'), [], 'an index without projects')
  const secret =
    '<title>Simple index</title><a href="https://user:secret@index.example/simple/black/">black</a>'
  t.match((await read(secret)).projects, [{ url: 'https://index.example/simple/black/' }])
  const bad =
    '<title>Simple index</title><a href="https://[bad/">bad</a><a href="ftp://x.example/black/">black</a>'
  t.same(await names(bad), [])
  const latin = Buffer.from(
    '<title>Simple index</title><a href="x/">x</a><a href="%E9/">\u00e9</a>',
    'latin1'
  )
  t.match((await read(latin, 5, { contentType: 'text/html; charset=latin1' })).projects, [{ name: 'x' }])
})

t.test('what is refused', async t => {
  for (const [content, why] of [
    ['', /empty/],
    ['Not found', /neither JSON nor HTML/],
    ['[]', /no object/],
    ['{}', /lists no projects/],
    ['{"files": []}', /lists no projects/],
    ['{"projects": [}', /not valid JSON/],
    ['{"projects": [{"name": "a"}]', /not valid JSON/],
    ['{"meta": {"api-version": "2.0"}, "projects": []}', /2\.0/],
    ['{"projects": [], "meta": {"api-version": "3.1"}}', /3\.1/],
    [`{"projects": [{"name": ${'['.repeat(100)}`, /nested deeper/],
    ['<meta name="pypi:repository-version" content="2.0">', /2\.0/],
    ['<title>Log in</title><a href="/reset">Forgot?</a>', /no list of projects/],
    ['<title>Home</title><a href="a">a</a><a href="/b">B</a><a href="/c">C</a>', /no list of projects/],
    ['<title>Error</title>', /no list of projects/],
    ['<title>Simple index</title><a href="x-1.0.zip">x-1.0.zip</a>', /find-links/],
    [`<!--${'x'.repeat(200)}`, /longer than 100/]
  ] as const)
    await t.rejects(
      read(content, 16, {}, { maxLexeme: 100 }),
      { code: 'ERR_MILLRACE_DOCUMENT', url, message: why },
      content.slice(0, 60)
    )
  await t.rejects(read('{"projects": [1, 2, 3]}', 5, {}, { maxEntries: 2 }), {
    message: /more than 2 entries/
  })
  const secret = { url: 'https://user:secret@index.example/simple/?key=secret' }
  for (const content of ['', '{', '<p>', '<title>Simple</title><a href="x.zip">x</a>']) {
    await t.rejects(read(content, 5, secret), { code: 'ERR_MILLRACE_DOCUMENT', url })
    await read(content, 5, secret).catch(error => t.notMatch(error.message, /secret/))
  }
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"projects": [')
    throw Object.assign(new Error('gone'), { code: 'EIO' })
  }
  const batches = readListing(failing(), { url, contentType: undefined }, documentLimits())
  await batches.next()
  await t.rejects(batches.next(), { code: 'EIO' })
})

t.test('a listing of any length', async t => {
  const list = Array.from({ length: 30_000 }, (_, at) => ({ name: `project-${at}`, '_last-serial': at + 1 }))
  const { projects, about } = await read(JSON.stringify({ projects: list }))
  t.equal(projects.length, 30_000)
  t.same(about, { total: 30_000, serial: undefined })
  t.match(projects.at(-1), { project: 'project-29999', serial: 30_000 })
})

const recorded = {
  'simple-html/pypi-simple/simple.html': 3,
  'simple-html/pypi-simple/simple01.html': 20,
  'simple-html/pypi-simple/simple_base.html': 5,
  'simple-html/pypi-simple/simple_devpi.html': 18,
  'simple-html/pypi-simple/simple_repo_version.html': 5,
  'simple-html/pip/data__packages3__index.html': 2,
  'simple-html/pip/tests__in dex__index.html': 1
}
for (const [path, count] of Object.entries(recorded)) {
  const found = sharedData(...path.split('/'))
  t.test(path, { skip: found === undefined && 'no shared data' }, async t => {
    const bytes = readFileSync(found as string)
    const { projects, errors } = await read(bytes)
    t.equal(projects.length, count)
    t.same(errors, [])
    t.strictSame((await read(bytes, 1)).projects, projects)
  })
}
for (const path of ['dependabot-core/psycopg_homepage.html', 'poetry/torch_stable.html']) {
  const found = sharedData('simple-html', ...path.split('/'))
  t.test(path, { skip: found === undefined && 'no shared data' }, async t => {
    await t.rejects(read(readFileSync(found as string)), { code: 'ERR_MILLRACE_DOCUMENT' })
  })
}
