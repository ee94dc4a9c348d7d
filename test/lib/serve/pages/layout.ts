import t from 'tap'
import { html } from '../../../../lib/serve/pages/html.js'
import { facts, layout, more, search } from '../../../../lib/serve/pages/layout.js'
import { Links } from '../../../../lib/serve/pages/links.js'

const links = new Links('/')

t.test('what is around a page', async t => {
  const plain = layout({ links, title: '<b>', content: html`<p>x</p>` })
  t.match(plain, /^<!doctype html>\n<html lang="en">/)
  t.match(plain, '<title>&lt;b&gt; · Millrace</title>')
  t.match(plain, '<a class="skip" href="#main">')
  t.match(plain, '<main id="main" tabindex="-1">\n<p>x</p>')
  t.notMatch(plain, /<nav|http-equiv|data-live/)
  const place = { asked: 'x@3', name: 'x' }
  const live = layout({ links, place, tab: 'runs', live: true, title: 'x', content: '' })
  t.match(live, '<noscript><meta http-equiv="refresh" content="5"></noscript>')
  t.match(live, '<main id="main" tabindex="-1" data-live>')
  t.match(live, '<a href="-/repositories/x/runs" aria-current="page">Runs</a>')
  t.match(live, '<a href="-/repositories/x%403/projects">Projects</a>', 'of the version that is looked at')
  t.match(live, '<a href="-/repositories/x/">Versions</a>')
})

t.test('parts of pages', async t => {
  t.equal(more(undefined, 'More'), undefined)
  t.equal(more(false, 'More'), undefined)
  t.equal(more('?a=1&b', 'More')?.markup, '<p class="more"><a href="?a=1&amp;b" rel="next">More</a></p>')
  t.equal(
    facts({ One: 1, None: undefined }).markup,
    '<dl class="facts"><div><dt>One</dt><dd>1</dd></div></dl>'
  )
  t.match(search(links, 'x', '"><script>', undefined).markup, 'value="&quot;&gt;&lt;script&gt;"')
})
