/**
 * The page of a project: its versions, and the files of each.
 */
import type { IndexedPackage } from '../../catalog/index-reader.js'
import { tagsOfWheel } from '../../pypi/tags.js'
import { isPrerelease, parseVersion } from '../../pypi/version.js'
import { type ProjectPage, versionsOf } from '../documents/page.js'
import { bytes, count, plural, time } from './format.js'
import { type Content, foreign, type Html, html } from './html.js'
import { facts, layout, more, type Place } from './layout.js'
import type { Links } from './links.js'
import { mark, statusMark } from './marks.js'

/** Versions a page. */
const VERSIONS = 25

/** `part` counts from 0. */
export function projectPage(links: Links, place: Place, page: ProjectPage, part: number): string {
  const { project, name, status, statusReason, files } = page
  const groups = byVersion(files)
  const shown = groups.slice(part * VERSIONS, (part + 1) * VERSIONS)
  const sizes = files.map(({ size }) => size)
  const total = sizes.every(size => size !== undefined)
    ? sizes.reduce((sum: number, size) => sum + Number(size), 0)
    : undefined
  const content = html`<h1>${foreign(name)} ${statusMark(status)}</h1>
${statusReason !== undefined && html`<p class="notice">${foreign(statusReason)}</p>`}
${status === 'quarantined' && html`<p class="notice">It is in quarantine: none of its files is offered.</p>`}
<pre tabindex="0"><code>pip install ${project}</code></pre>
${facts({
  Versions: count(groups.length),
  Files: count(files.length),
  'All together': bytes(total),
  'As pip sees it': html`<a href="${links.simple(place.asked, project)}">simple page</a>`
})}
<section aria-labelledby="versions">
<h2 id="versions">Versions</h2>
${shown.map(([version, files], at) => versionSection(links, place.asked, version, files, part === 0 && at === 0))}
${more(groups.length > (part + 1) * VERSIONS && `?part=${part + 1}`, 'Older versions')}
</section>`
  return layout({ links, content, place, title: `${name} in ${place.asked}` })
}

/** The files of each version, the newest first; what belongs to none comes last. */
function byVersion(files: readonly IndexedPackage[]): [string | undefined, IndexedPackage[]][] {
  const groups = new Map<string | undefined, IndexedPackage[]>(
    versionsOf(files)
      .reverse()
      .map(version => [version, []])
  )
  for (const file of files) {
    const group = groups.get(file.version)
    if (group === undefined) groups.set(file.version, [file])
    else group.push(file)
  }
  return [...groups]
}

function versionSection(
  links: Links,
  asked: string,
  version: string | undefined,
  files: readonly IndexedPackage[],
  open: boolean
): Html {
  const parsed = parseVersion(version ?? '')
  const uploaded = files
    .map(({ uploadTime }) => uploadTime)
    .filter(time => time !== undefined)
    .sort()
  const marks = [
    files.every(({ yanked }) => yanked !== false) && mark('yanked', true),
    parsed !== undefined && isPrerelease(parsed) && mark('pre-release')
  ]
  return html`<details class="version"${open && html` open`}>
<summary><span class="name">${foreign(version ?? 'no version')}</span> ${marks} <span class="soft">${time(uploaded[0], 'day')} · ${plural(files.length, 'file')}</span></summary>
<ul class="files">${files.map(file => fileEntry(links, asked, file))}</ul>
</details>
`
}

const TYPES: Readonly<Record<string, string>> = { bdist_wheel: 'wheel', sdist: 'source', unknown: 'file' }

function fileEntry(links: Links, asked: string, file: IndexedPackage): Html {
  const { filename, size, packageType, requiresPython, yanked, coreMetadata, digests, uploadTime } = file
  const url = links.file(asked, file)
  const tags = packageType === 'bdist_wheel' ? tagsOfWheel(filename) : undefined
  const details: Content[] = [
    TYPES[packageType] ?? packageType,
    bytes(size),
    requiresPython && html`Python ${foreign(requiresPython)}`,
    time(uploadTime),
    file.file === undefined ? 'upstream' : 'in the store',
    coreMetadata !== false && html`<a href="${url}.metadata">metadata</a>`
  ]
  return html`<li>
<a class="file" href="${url}">${foreign(filename)}</a>${yanked !== false && html` ${mark('yanked', true)} ${foreign(yanked)}`}
<ul class="details">${details.map(detail => detail && html`<li>${detail}</li>`)}</ul>
${tags && html`<ul class="tags" aria-label="Tags">${[...tags.pythons, ...tags.abis, ...tags.platforms].map(tag => html`<li>${tag}</li>`)}</ul>`}
${digests.sha256 !== undefined && html`<p class="digest"><span class="soft">sha256</span> ${digests.sha256}</p>`}
</li>
`
}
