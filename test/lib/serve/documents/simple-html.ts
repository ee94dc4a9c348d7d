import t from 'tap'
import { escapeHtml, listingHtml, simpleHtml } from '../../../../lib/serve/documents/simple-html.js'
import { indexed, pageOf } from '../../../helpers/indexed.js'

const sha256 = 'ab'.repeat(32)

t.test('what a link tells', async t => {
  const html = simpleHtml(
    pageOf(
      indexed('demo-1.0-py3-none-any.whl', {
        digests: { sha256 },
        requiresPython: '>=3.8,<4',
        yanked: '"broken" & <b>worse</b>',
        coreMetadata: { sha256 },
        provenance: 'https://example.org/p?a&b'
      }),
      indexed('demo-2.0.tar.gz', { yanked: '', coreMetadata: true, digests: { blake2b_256: '1' } }),
      indexed('demo-3.0.tar.gz', { coreMetadata: { blake2b_256: '1' } }),
      indexed('demo-4.0.tar.gz')
    ),
    ({ filename }) => `../${filename}?a&b`
  )
  const links = [...html.matchAll(/<a ([^>]*)>([^<]*)<\/a>/g)].map(([, attributes]) => attributes)
  t.strictSame(links, [
    `href="../demo-1.0-py3-none-any.whl?a&amp;b#sha256=${sha256}" data-requires-python="&gt;=3.8,&lt;4" ` +
      `data-core-metadata="sha256=${sha256}" data-dist-info-metadata="sha256=${sha256}" ` +
      'data-provenance="https://example.org/p?a&amp;b" ' +
      'data-yanked="&quot;broken&quot; &amp; &lt;b&gt;worse&lt;/b&gt;"',
    'href="../demo-2.0.tar.gz?a&amp;b" data-core-metadata="true" data-dist-info-metadata="true" data-yanked=""',
    'href="../demo-3.0.tar.gz?a&amp;b" data-core-metadata="true" data-dist-info-metadata="true"',
    'href="../demo-4.0.tar.gz?a&amp;b"'
  ])
  t.match(html, /^<!DOCTYPE html>/)
  t.match(html, '<meta name="pypi:repository-version" content="1.4">')
  t.match(html, '<meta name="pypi:project-status" content="active">')
  t.notMatch(html, 'status-reason')
  t.match(html, /<!--SERIAL 42-->\n$/)
})

t.test('the status and why', async t => {
  const html = simpleHtml({ ...pageOf(), status: 'archived', statusReason: 'a < b' }, () => '')
  t.match(html, '<meta name="pypi:project-status" content="archived">')
  t.match(html, '<meta name="pypi:project-status-reason" content="a &lt; b">')
})

t.test('the list of projects', async t => {
  async function* pages() {
    yield [{ project: 'a', name: 'A<b>', status: 'active', changed: 0 } as const]
  }
  let text = ''
  for await (const piece of listingHtml(9, pages())) text += piece
  t.match(text, '<a href="a/">A&lt;b&gt;</a>')
  t.match(text, '<!--SERIAL 9-->')
  t.equal(escapeHtml(`&<>"'`), "&amp;&lt;&gt;&quot;'")
})
