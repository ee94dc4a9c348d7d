/**
 * The first page: where to search, and which repositories there are.
 */
import type { Part, RepositoryInfo } from '../../catalog/browse-reader.js'
import { count, time } from './format.js'
import { foreign, type Html, html } from './html.js'
import { layout, more, search } from './layout.js'
import type { Links } from './links.js'
import { stateMark } from './marks.js'

/** `searched` is the repository in which projects are searched, if it is there; `queueBoard`: whether there is one. */
export function homePage(
  links: Links,
  searched: string | undefined,
  { items, next }: Part<RepositoryInfo, string>,
  queueBoard: boolean
): string {
  const content = html`<h1>Package index</h1>
${searched !== undefined && search(links, searched, '', undefined)}
${items.length === 0 ? nothingYet() : repositories(links, items)}
${more(next && `?after=${encodeURIComponent(next)}`, 'More repositories')}
${queueBoard && html`<p><a href="${links.queue}">The queue of the cluster</a></p>`}`
  return layout({ links, content, title: 'Package index' })
}

function repositories(links: Links, items: readonly RepositoryInfo[]): Html {
  return html`<section aria-labelledby="repositories">
<h2 id="repositories">Repositories</h2>
<table>
<thead><tr><th scope="col">Name</th><th scope="col" class="number">Version</th><th scope="col" class="number">Packages</th><th scope="col" class="wide">Changed</th><th scope="col">Last run</th></tr></thead>
<tbody>${items.map(item => row(links, item))}</tbody>
</table>
</section>`
}

function row(links: Links, item: RepositoryInfo): Html {
  const { name, version, present, changedAt, lastRun, lastRunAt, lastRunState: state } = item
  const run =
    lastRun === null || state === null
      ? '–'
      : html`<a href="${links.to(name, `runs/${lastRun}`)}">${time(lastRunAt)}</a> ${stateMark(state)}`
  return html`<tr><th scope="row"><a href="${links.to(name)}">${foreign(name)}</a></th><td class="number">${count(version)}</td><td class="number">${count(present)}</td><td class="wide">${time(changedAt)}</td><td>${run}</td></tr>
`
}

function nothingYet(): Html {
  return html`<p class="lead">There is no repository yet. A first sync makes one:</p>
<pre><code>millrace sync numpy</code></pre>`
}
