/**
 * The simple API in HTML.
 * @see https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 503, 592, 629, 658, 714, 740, 792)
 */
import type { IndexedPackage, ListedProject } from '../../catalog/index-reader.js'
import { API_VERSION, linkDigest, type ProjectPage, type UrlOf } from './page.js'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text as it may stand in an element or in an attribute between double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, character => ENTITIES[character] as string)
}

/** The page of a project. */
export function simpleHtml(page: ProjectPage, urlOf: UrlOf): string {
  const { name, serial, status, statusReason, files } = page
  const reason = statusReason === undefined ? '' : meta('pypi:project-status-reason', statusReason)
  const title = escapeHtml(`Links for ${name}`)
  const links = files.map(pkg => linkOf(pkg, urlOf(pkg)))
  return `${head(title, meta('pypi:project-status', status) + reason)}<h1>${title}</h1>\n${links.join('')}${foot(serial)}`
}

/** The list of projects, in pieces. */
export async function* listingHtml(
  serial: number,
  pages: AsyncIterable<readonly ListedProject[]>
): AsyncGenerator<string, void, undefined> {
  yield head('Simple index', '')
  for await (const page of pages) {
    yield page
      .map(({ project, name }) => `<a href="${encodeURIComponent(project)}/">${escapeHtml(name)}</a><br>\n`)
      .join('')
  }
  yield foot(serial)
}

function head(title: string, more: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
${meta('pypi:repository-version', API_VERSION)}${more}<title>${title}</title>
</head>
<body>
`
}

/** Mirrors look for the serial number at the end, as PyPI has it. */
function foot(serial: number): string {
  return `</body>\n</html>\n<!--SERIAL ${serial}-->\n`
}

function meta(name: string, content: string): string {
  return `<meta name="${name}" content="${escapeHtml(content)}">\n`
}

function linkOf(pkg: IndexedPackage, url: string): string {
  const { filename, digests, requiresPython, yanked, coreMetadata, provenance } = pkg
  const digest = linkDigest(digests)
  const metadata =
    coreMetadata === false ? undefined : coreMetadata === true ? 'true' : (linkDigest(coreMetadata) ?? 'true')
  return (
    `<a href="${escapeHtml(digest === undefined ? url : `${url}#${digest}`)}"` +
    attribute('data-requires-python', requiresPython) +
    attribute('data-core-metadata', metadata) +
    // What the attribute was called before PEP 714.
    attribute('data-dist-info-metadata', metadata) +
    attribute('data-provenance', provenance) +
    attribute('data-yanked', yanked === false ? undefined : yanked) +
    `>${escapeHtml(filename)}</a><br>\n`
  )
}

function attribute(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${escapeHtml(value)}"`
}
