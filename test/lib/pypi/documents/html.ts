import t from 'tap'
import { type Anchor, HtmlScan, leadsToFile } from '../../../../lib/pypi/documents/html.js'
import { type DocumentLimits, documentLimits } from '../../../../lib/pypi/documents/limits.js'

function scan(html: string, size = html.length, limits: Partial<DocumentLimits> = {}) {
  const anchors: Anchor[] = []
  const scan = new HtmlScan(documentLimits(limits), anchor => anchors.push(anchor))
  for (let start = 0; start < html.length; start += size) scan.write(html.slice(start, start + size))
  scan.end()
  return { scan, anchors }
}

const page = `<!DOCTYPE html><html><head><title>Links &amp; for
 x</title><meta charset="utf-8"><meta name="PyPI:Status" content="archived"><meta name="bare">
<base href=" https://b.example/ "><base href="https://other.example/"></head><body><h1>Head <b>line</b></h1><h1>Second</h1>
<a href="x-1.0.zip" data-a="1" data-a="2" class="c">x-<b>1.0</b>.zip</a> text <a name="top">top</a>
<A HREF = 'y/' DATA-YANKED>y/</A><a href=z.whl>z<a href="w.txt#f">w
<svg><a href="in-svg.egg"/></svg><a data-only="1">no</a><a href="&quot;q&quot;.exe">q</a
><!--SERIAL 42--><!-- SERIAL x --></body></html>`
const expected = {
  anchors: [
    { attributes: { href: 'x-1.0.zip', 'data-a': '1' }, text: 'x-1.0' },
    { attributes: { href: 'y/', 'data-yanked': '' }, text: 'y/' },
    { attributes: { href: 'z.whl' }, text: 'z' },
    { attributes: { href: 'w.txt#f' }, text: 'w' },
    { attributes: { href: 'in-svg.egg' }, text: '' },
    { attributes: { href: '"q".exe' }, text: 'q' }
  ],
  base: 'https://b.example/',
  title: 'Links & for\n x Head',
  serial: 42,
  status: 'archived',
  bare: '',
  links: 6,
  files: 4
}
for (const size of [1, 2, 7, 50, page.length]) {
  const { scan: found, anchors } = scan(page, size)
  t.strictSame(
    {
      anchors,
      base: found.base,
      title: found.value('title'),
      serial: found.value('serial'),
      status: found.value('meta.pypi:status'),
      bare: found.value('meta.bare'),
      links: found.count('links'),
      files: found.count('files')
    },
    expected,
    `${size} at a time`
  )
}
t.equal(scan('').scan.value('title'), '')
t.equal(scan('').scan.count('others'), undefined)
t.equal(scan('').scan.value('meta.none'), undefined)
t.same(scan('<a href="x-1.zip"').anchors, [], 'a tag that does not end')
t.same(scan('<a href="x-1.zip">').anchors.length, 1, 'an element that does not end')
t.same(scan('<script><a href="x-1.zip"></a></script><textarea>').anchors, [])

for (const href of [
  'x.whl',
  'x.TAR.GZ',
  'a/x.zip?y=1',
  'x.egg#md5=1',
  'x.tar.bz2',
  'x.tbz',
  'x.msi',
  'x.exe',
  'x.rpm',
  'x.tar.Z'
])
  t.equal(leadsToFile(href), true, href)
for (const href of ['', 'x/', 'x.zip/', 'x.html', '?x.zip', '#x.zip', 'x.whl.asc', 'x.whl.metadata', 'gz'])
  t.equal(leadsToFile(href), false, href)

t.test('limits', async t => {
  const limit =
    (html: string, limits: Partial<DocumentLimits>, size = 64) =>
    () =>
      scan(html, size, limits)
  const maxLexeme = 1000
  const endless = 'x'.repeat(5000)
  for (const start of ['<!--', '<a href="', '<a ', '<', '<a href=', '</', '<!doctype ', '<?', '<a title="'])
    t.throws(limit(start + endless, { maxLexeme }), /longer than 1000 characters/, start)
  t.throws(limit(`<a ${' '.repeat(5000)}`, { maxLexeme }), /longer than 1000/)
  t.doesNotThrow(
    limit(`${endless}<script>${endless}</script><title>${endless}`, { maxLexeme }),
    'text is not kept'
  )
  t.equal(scan(`<title>${endless}`).scan.value('title'), 'x'.repeat(4096))

  const maxEntry = 100
  t.throws(limit(`<a href="${'x'.repeat(101)}">`, { maxEntry }), /longer than 100 characters/)
  t.throws(
    limit(`<a ${Array.from({ length: 50 }, (_, at) => `data-${at}=1`).join(' ')}>`, { maxEntry }),
    /longer than 100/
  )
  t.doesNotThrow(limit(`<a ${Array.from({ length: 500 }, (_, at) => `x${at}=1`).join(' ')}>`, { maxEntry }))

  t.doesNotThrow(limit('<a href="x">'.repeat(3), { maxEntries: 3 }))
  t.throws(limit('<a href="x">'.repeat(4), { maxEntries: 3 }), /more than 3 links/)
})

t.test('a page of tags that do not end takes no more than its share of time', async t => {
  const started = performance.now()
  const { anchors } = scan('<a href="x-1.zip"><b><p><td>'.repeat(50_000), 65_536)
  t.equal(anchors.length, 50_000)
  t.ok(performance.now() - started < 5000)
})

t.test('no more than a hundred metas are kept', async t => {
  const { scan: found } = scan(
    Array.from({ length: 200 }, (_, at) => `<meta name="m${at}" content="1">`).join('')
  )
  t.equal(found.value('meta.m99'), '1')
  t.equal(found.value('meta.m100'), undefined)
})
