/**
 * The simple API in HTML, and what stands in for it: listings of web servers, find-links pages.
 * @see https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 503, 592, 629, 658, 714, 792)
 */
import {
  apiVersionObjection,
  type DocumentFormat,
  type FileEntry,
  projectStatus,
  type RawEntry,
  serialOf,
  textOf
} from './format.js'
import { hashOfFragment, hashOfMetadataAttribute } from './link.js'

/** How pages of the simple API and listings of web servers call themselves. */
const HEADING = /\blinks for\b|\bindex of\b|\bdirectory listing\b/i

export const simpleHtml: DocumentFormat = {
  name: 'PEP 503',
  syntax: 'html',
  paths: [
    'title',
    'serial',
    'meta.pypi:repository-version',
    'meta.pypi:project-status',
    'meta.pypi:project-status-reason'
  ],
  lists: [{ key: 'files', grouped: false }],
  /**
   * A login page, an error page or a web site with status 200 must not pass for a project without files. A page is
   * taken for one of an index when it says so itself, or when at least half of its links lead to files.
   */
  recognises(outline) {
    if (HEADING.test(String(outline.value('title')))) return true
    const files = outline.count('files') as number
    const links = outline.count('links') as number
    // A list of projects has the mark of the simple API too.
    if (outline.value('meta.pypi:repository-version') !== undefined) return files > 0 || links === 0
    return files > 0 && files * 2 >= links
  },
  objection: outline => apiVersionObjection(outline.value('meta.pypi:repository-version')),
  about: outline => ({
    serial: serialOf(outline.value('serial')),
    status: projectStatus(outline.value('meta.pypi:project-status')),
    statusReason: textOf(outline.value('meta.pypi:project-status-reason'))
  }),
  choose: () => [{ key: 'files' }],
  file
}

function file(anchor: RawEntry): FileEntry {
  const href = String(anchor.href)
  const hash = href.indexOf('#')
  const yanked = anchor['data-yanked']
  return {
    // The last component of the URL: what stands in the link may be cut short, or be something else.
    filename: undefined,
    url: hash < 0 ? href : href.slice(0, hash),
    digests: hash < 0 ? undefined : hashOfFragment(href.slice(hash + 1)),
    size: undefined,
    packageType: undefined,
    version: undefined,
    requiresPython: anchor['data-requires-python'],
    // An attribute without a value counts as one with an empty value (PEP 592).
    yanked: typeof yanked === 'string' ? yanked : false,
    uploadTime: undefined,
    coreMetadata: hashOfMetadataAttribute(anchor['data-core-metadata'] ?? anchor['data-dist-info-metadata']),
    provenance: anchor['data-provenance']
  }
}
