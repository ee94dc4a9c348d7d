/**
 * The page of a repository: how to install from it, and its versions.
 */
import type { Part, VersionInfo } from '../../catalog/browse-reader.js'
import type { IndexedRepository } from '../../catalog/index-reader.js'
import { count, plural, time } from './format.js'
import { foreign, type Html, html } from './html.js'
import { layout, more } from './layout.js'
import type { Links } from './links.js'

export function repositoryPage(
  links: Links,
  { name, version }: IndexedRepository,
  indexUrl: string,
  { items, next }: Part<VersionInfo, number>
): string {
  const [newest] = items
  const content = html`<h1>${foreign(name)}</h1>
${
  newest === undefined
    ? html`<p class="lead">No version of it is to be shown here.</p>`
    : newest.number === version &&
      html`<p class="lead">${plural(newest.present, 'package')} at version ${count(version)}, made ${time(newest.createdAt)}.</p>
<pre tabindex="0"><code>pip install --index-url ${indexUrl} <var>NAME</var></code></pre>`
}
${
  items.length > 0 &&
  html`<section aria-labelledby="versions">
<h2 id="versions">Versions</h2>
<table>
<thead><tr><th scope="col" class="number">Version</th><th scope="col">Made</th><th scope="col" class="number">Added</th><th scope="col" class="number">Removed</th><th scope="col" class="number wide">Packages</th><th scope="col" class="number wide">Run</th></tr></thead>
<tbody>${items.map(item => row(links, name, item))}</tbody>
</table>
</section>`
}
${more(next !== undefined && `?before=${next}`, 'Older versions')}`
  return layout({ links, content, title: name, place: { asked: name, name }, tab: '' })
}

function row(links: Links, name: string, version: VersionInfo): Html {
  const { number, createdAt, added, removed, present, runId } = version
  return html`<tr><th scope="row" class="number"><a href="${links.to(name, `versions/${number}`)}">${count(number)}</a></th><td>${time(createdAt)}</td><td class="number">${signed('+', added)}</td><td class="number">${signed('−', removed)}</td><td class="number wide">${count(present)}</td><td class="number wide"><a href="${links.to(name, `runs/${runId}`)}">${runId}</a></td></tr>
`
}

/** A number of packages that came or went. */
export function signed(sign: '+' | '−', value: number): string {
  return value === 0 ? '0' : `${sign}${count(value)}`
}
