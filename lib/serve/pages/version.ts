/**
 * The page of a version: what it changed.
 */
import type { ChangePlace, Part, VersionPlace } from '../../catalog/browse-reader.js'
import type { Change } from '../../catalog/changes.js'
import type { IndexedRepository } from '../../catalog/index-reader.js'
import type { StoredPackage } from '../../catalog/rows.js'
import type { Digests } from '../../pypi/package.js'
import { bytes, count, time } from './format.js'
import { foreign, type Html, html } from './html.js'
import { facts, layout, more } from './layout.js'
import type { Links } from './links.js'
import { signed } from './repository.js'

export function versionPage(
  links: Links,
  { name }: IndexedRepository,
  { version, previous, next }: VersionPlace,
  changes: Part<Change, ChangePlace>
): string {
  const { number, createdAt, added, removed, present, runId } = version
  const at = `${name}@${number}`
  const neighbours = [
    previous &&
      html`<a rel="prev" href="${links.to(name, `versions/${previous.number}`)}">Version ${previous.number}</a>`,
    next !== undefined && html`<a rel="next" href="${links.to(name, `versions/${next}`)}">Version ${next}</a>`
  ]
  const onward = changes.next && `?after=${changes.next.kind}-${changes.next.id}`
  const content = html`<h1>Version ${count(number)}</h1>
${facts({
  Made: time(createdAt),
  Added: signed('+', added),
  Removed: signed('−', removed),
  Packages: html`<a href="${links.to(at, 'projects')}">${count(present)}</a>`,
  Run: html`<a href="${links.to(name, `runs/${runId}`)}">${runId}</a>`
})}
<p class="neighbours">${neighbours}</p>
<section aria-labelledby="changes">
<h2 id="changes">What it changed</h2>
${
  // What only the forgotten one had is forgotten, too.
  number > 1 && previous?.number !== number - 1
    ? html`<p>The version before it was forgotten, so that it can no longer be told what this one removed.</p>`
    : undefined
}
${byProject(changes.items).map(group =>
  // What the version no longer has is to be seen in the one before it.
  section(links, group.every(({ change }) => change === 'removed') ? `${name}@${number - 1}` : at, group)
)}
${more(onward, 'More changes')}
</section>`
  return layout({ links, content, title: `Version ${number} of ${name}`, place: { asked: name, name } })
}

/** Changes that follow each other and are of one project. */
function byProject(changes: readonly Change[]): Change[][] {
  const groups: Change[][] = []
  for (const change of changes) {
    const last = groups.at(-1)
    if (last?.[0]?.project === change.project) last.push(change)
    else groups.push([change])
  }
  return groups
}

function section(links: Links, asked: string, changes: readonly Change[]): Html {
  const { project } = changes[0] as Change
  return html`<section class="changes"><h3><a href="${links.project(asked, project)}">${project}</a></h3>
<ul>${changes.map(entry)}</ul></section>
`
}

const SIGNS = { added: '+', removed: '−', changed: '~' } as const

function entry({ change, filename, before, after }: Change): Html {
  const size = (after ?? before)?.size
  return html`<li class="${change}"><span class="sign" aria-hidden="true">${SIGNS[change]}</span><span class="hidden">${change} </span><span class="file">${foreign(filename)}</span> <span class="soft">${bytes(size)}</span>${
    before !== undefined && after !== undefined && differences(before, after)
  }</li>
`
}

/** What people want to know of a file that changed: its value before and after. */
const COMPARED: Readonly<Record<string, (pkg: StoredPackage) => string>> = {
  yanked: ({ yanked }) => (yanked === false ? 'no' : yanked === '' ? 'yes' : yanked),
  'requires-python': ({ requiresPython }) => requiresPython ?? 'any',
  sha256: ({ digests }) => digests.sha256 ?? 'none',
  digests: ({ digests: { sha256, ...others } }) => shown(others),
  size: ({ size }) => bytes(size),
  version: ({ version }) => version ?? 'none',
  name: ({ name }) => name,
  type: ({ packageType }) => packageType,
  uploaded: ({ uploadTime }) => uploadTime ?? 'unknown',
  metadata: ({ coreMetadata }) =>
    typeof coreMetadata === 'boolean' ? (coreMetadata ? 'yes' : 'no') : shown(coreMetadata),
  provenance: ({ provenance }) => provenance ?? 'none'
}

function shown(digests: Digests): string {
  return Object.entries(digests)
    .map(([algorithm, digest]) => `${algorithm} ${digest}`)
    .join(', ')
}

function differences(before: StoredPackage, after: StoredPackage): Html {
  const fields = Object.entries(COMPARED).filter(([, value]) => value(before) !== value(after))
  return html`<dl class="differences">${fields.map(
    ([name, value]) =>
      html`<div><dt>${name}</dt><dd><del>${foreign(value(before))}</del> <span class="hidden">is now </span><ins>${foreign(value(after))}</ins></dd></div>`
  )}</dl>`
}
