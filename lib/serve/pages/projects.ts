/**
 * Projects whose names begin as asked for, or all of them.
 */
import type { FoundProject, Part } from '../../catalog/browse-reader.js'
import { count, plural } from './format.js'
import { foreign, type Html, html } from './html.js'
import { layout, more, type Place, search } from './layout.js'
import type { Links } from './links.js'
import { statusMark } from './marks.js'

export function projectsPage(
  links: Links,
  place: Place,
  query: string,
  { items, next }: Part<FoundProject, string>
): string {
  const onward = next && links.to(place.asked, 'projects', { q: query, after: next })
  const results = html`<p class="found" role="status">${found(query, items.length, next !== undefined)}</p>
${items.length > 0 && html`<ul class="names">${items.map(item => entry(links, place.asked, item))}</ul>`}
${more(onward, items.length === 0 ? 'Look further' : 'More projects')}`
  return layout({
    ...{ links, place, tab: 'projects' },
    title: query === '' ? `Projects of ${place.asked}` : `${query} in ${place.asked}`,
    content: html`<h1>Projects</h1>${search(links, place.asked, query, results)}`
  })
}

function found(query: string, items: number, more: boolean): Html {
  const named =
    query !== '' && html` that ${items === 1 && !more ? 'begins' : 'begin'} with <b>${foreign(query)}</b>`
  if (items === 0) return more ? html`None yet${named}.` : html`There are no projects${named}.`
  return more ? html`The first ${count(items)} projects${named}.` : html`${plural(items, 'project')}${named}.`
}

function entry(links: Links, asked: string, { project, name, status }: FoundProject): Html {
  return html`<li><a href="${links.project(asked, project)}">${name}</a> ${statusMark(status)}</li>
`
}
