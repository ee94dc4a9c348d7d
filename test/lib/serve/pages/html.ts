import t from 'tap'
import { foreign, html } from '../../../../lib/serve/pages/html.js'

t.test('what is not markup of ours is escaped', async t => {
  const hostile = `<script>alert("1")</script> & '`
  const escaped = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; '"
  t.equal(html`<p title="${hostile}">${hostile}</p>`.markup, `<p title="${escaped}">${escaped}</p>`)
  t.equal(html`${html`<b>${hostile}</b>`}`.markup, `<b>${escaped}</b>`, 'once')
  t.equal(html`${['a', html`<i>`, 1, undefined, false, ['<']]}`.markup, 'a<i>1&lt;')
  t.equal(html`plain`.markup, 'plain')
  t.equal(foreign(hostile).markup, `<bdi>${escaped}</bdi>`)
})
