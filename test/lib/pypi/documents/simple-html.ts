import { readFileSync } from 'node:fs'
import t from 'tap'
import { input, whole } from '../../../helpers/documents.js'
import { sharedData } from '../../../helpers/shared-data.js'

const page = (body: string, head = '<title>Links for example</title>') =>
  `<!DOCTYPE html><html><head>${head}</head><body>${body}</body></html>`
const first = (anchor: string) => whole(page(anchor)).packages[0]
const names = (html: string) => whole(html).packages.map(({ filename }) => filename)

t.test('attributes', async t => {
  const [sha256, other] = ['ab'.repeat(32), 'cd'.repeat(32)]
  t.match(
    first(
      `<a href="../../f/example-1.0-py3-none-any.whl#sha256=${sha256}" data-requires-python="&gt;=3.8" ` +
        `data-yanked="broken &amp; gone" data-core-metadata="sha256=${other}" ` +
        'data-provenance="https://p.example/1" data-gpg-sig="true">example-1.0-py3-none-any.whl</a>'
    ),
    {
      version: '1.0',
      filename: 'example-1.0-py3-none-any.whl',
      url: 'https://index.example/f/example-1.0-py3-none-any.whl',
      digests: { sha256 },
      size: undefined,
      packageType: 'bdist_wheel',
      requiresPython: '>=3.8',
      yanked: 'broken & gone',
      uploadTime: undefined,
      coreMetadata: { sha256: other },
      provenance: 'https://p.example/1'
    }
  )
  const link = (attributes: string) => first(`<a href="example-1.0.zip" ${attributes}>x</a>`)
  t.equal(link('data-yanked')?.yanked, '', 'an attribute without a value')
  t.equal(link('data-yanked=""')?.yanked, '')
  t.equal(link('')?.yanked, false)
  t.equal(link('data-requires-python')?.requiresPython, undefined)
  t.equal(link("data-requires-python='>=3.1.*'")?.requiresPython, '>=3.1.*', 'not escaped')
  t.equal(link('DATA-REQUIRES-PYTHON=">=3"')?.requiresPython, '>=3')
  t.equal(link('data-dist-info-metadata="true"')?.coreMetadata, true)
  t.same(link(`data-dist-info-metadata="sha256=${sha256}" data-core-metadata="false"`)?.coreMetadata, false)
  t.equal(link('data-core-metadata')?.coreMetadata, true)
  t.equal(link('')?.coreMetadata, false)
})

t.test('links', async t => {
  const md5 = 'ef'.repeat(16)
  t.same(first(`<a href="example-1.0.zip#egg=example&md5=${md5}">x</a>`)?.digests, { md5 })
  t.same(first('<a href="example-1.0.zip">x</a>')?.digests, {})
  t.same(first("<a\n  href = 'example-1.0.zip'\n>x</a\n>")?.filename, 'example-1.0.zip')
  t.same(first('<A HREF=example-1.0.zip>x</A>')?.filename, 'example-1.0.zip')
  t.equal(first('<a href="example-1.0.zip?a=1&amp;b=2">x</a>')?.url, `${input().url}example-1.0.zip?a=1&b=2`)
  t.equal(first('<a href="//cdn.example/example-1.0.zip">x</a>')?.url, 'https://cdn.example/example-1.0.zip')
  t.equal(first('<a href="example-1.0%2Bcpu.zip">x</a>')?.version, '1.0+cpu')
  const base = page(
    '<a href="example-1.0.zip">',
    '<base href="https://b.example/x/"><title>Links for a</title>'
  )
  t.equal(whole(base).packages[0]?.url, 'https://b.example/x/example-1.0.zip')
  const relative = page('<a href="example-1.0.zip">', '<base href="../files/">')
  t.equal(whole(relative).packages[0]?.url, 'https://index.example/simple/files/example-1.0.zip')
  const broken = page('<a href="example-1.0.zip">', '<base href="http://[bad">')
  t.equal(whole(broken).packages[0]?.url, `${input().url}example-1.0.zip`)
  t.same(names(page('<a name="top"></a><a href="">x</a><a href="#x">y</a><a href="example-1.0.zip">z</a>')), [
    'example-1.0.zip'
  ])
  t.match(whole(page('<a href="file:///x/example-1.0.zip">x</a>')), {
    packages: { length: 0 },
    errors: [/file:/]
  })
  t.same(names(page('<!-- <a href="example-1.0.zip">x</a> --><script>"<a href=example-1.zip>"</script>')), [])
})

t.test('listings of web servers', async t => {
  const apache =
    '<h1>Index of /x</h1><a href="?C=N;O=D">Name</a><a href="/up/">Parent Directory</a>' +
    '<a href="example-1.0.tar.gz">example-1.0.ta..&gt;</a> 2020-01-01 61M <a href="notes.txt">notes.txt</a>'
  t.same(names(apache), ['example-1.0.tar.gz'])
  t.same(names('<title>Index of /empty</title><a href="../">../</a>'), [], 'an empty folder')
  t.same(names('<a href="example-1.0.zip">a</a><a href="https://home.example/">home</a>'), [
    'example-1.0.zip'
  ])
})

t.test('pages that are no index page are refused', async t => {
  const login = '<html><title>Log in</title><form><a href="/reset">Forgot?</a><a href="/join">Join</a></form>'
  t.match(whole(login).errors, [/web page with the title "Log in".*0 of its 2 links/])
  t.match(whole('<h1>503</h1><p>later').errors, [/title "503"/])
  t.match(whole('<p>hello').errors, [/it is a web page, not one of an index/])
  const site = '<title>Home</title><a href="x-1.0.zip">get it</a><a href="/a">a</a><a href="/b">b</a>'
  t.match(whole(site).errors, [/1 of its 3 links/])
  const mark = '<meta name="pypi:repository-version" content="1.0">'
  t.match(whole(page('<a href="a/">a</a>', mark)).errors, [/0 of its 1 links/], 'a list of projects')
  t.same(whole(page('', mark)), { about: whole(page('')).about, packages: [], errors: [] }, 'no files at all')
})

t.test('what it says of the project', async t => {
  const meta = (name: string, content: string) => `<meta name="pypi:${name}" content="${content}">`
  t.match(whole(page('<a href="example-1.zip">', meta('repository-version', '2.0'))).errors, [/2\.0/])
  const archived = meta('project-status', 'archived') + meta('project-status-reason', 'done')
  t.match(whole(page('<a href="example-1.zip">', archived)), {
    packages: [{}],
    about: { status: 'archived', statusReason: 'done' }
  })
  t.match(whole(page('<a href="example-1.zip">', meta('project-status', 'quarantined'))), {
    packages: { length: 0 },
    about: { status: 'quarantined' }
  })
  t.match(whole(`${page('<a href="example-1.zip">')}<!--SERIAL 123-->`).about, { serial: 123 })
})

const cases = sharedData('conformance', 'links-pip.json')
t.test(
  'the attributes of the link suite of pip',
  { skip: cases === undefined && 'no shared data' },
  async t => {
    const suite = JSON.parse(readFileSync(cases as string, 'utf8'))
    /** PEP 592 lets the attribute stand without a value; see docs/conformance.md. */
    const ours = '<a href="/pkg2-1.0.tar.gz" data-yanked></a>'
    let passed = 0
    for (const { anchor_html: html, expected } of suite.requires_python) {
      t.equal(first(html)?.requiresPython, expected ?? undefined, html)
      passed++
    }
    for (const { anchor_html: html, expected } of suite.yanked_reason) {
      t.equal(first(html)?.yanked, html === ours ? '' : (expected ?? false), html)
      passed += html === ours ? 0 : 1
    }
    for (const { anchor_html: html, expected, hashes } of suite.core_metadata) {
      // Eleven hex digits are no SHA-256: lengthened here, so that the check of digests lets them pass.
      const full = html
        .replaceAll('aa113592bbe', 'aa113592bbe'.padEnd(64, '0'))
        .replaceAll('abc132409cb', 'abc132409cb'.padEnd(128, '0'))
      const found = first(full)
      const metadata = /'(aa113592bbe)'/.test(String(expected))
      t.same(
        found?.coreMetadata,
        metadata ? { sha256: 'aa113592bbe'.padEnd(64, '0') } : expected !== null,
        html
      )
      t.same(found?.digests, hashes.sha512 === undefined ? {} : { sha512: hashes.sha512.padEnd(128, '0') })
      passed++
    }
    t.comment(`${passed} of ${passed + 1} cases as pip answers them`)
  }
)
