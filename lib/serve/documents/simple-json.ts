/**
 * The simple API in JSON.
 * @see https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 691, 592, 658, 700, 714, 740, 792)
 */
import type { IndexedPackage, ListedProject } from '../../catalog/index-reader.js'
import { API_VERSION, type ProjectPage, type UrlOf, versionsOf } from './page.js'

/** The page of a project. */
export function simpleJson(page: ProjectPage, urlOf: UrlOf): string {
  const { project, serial, status, statusReason, files } = page
  return JSON.stringify({
    meta: { 'api-version': API_VERSION, '_last-serial': serial },
    name: project,
    'alternate-locations': [],
    'project-status': { status, reason: statusReason },
    versions: versionsOf(files),
    files: files.map(pkg => fileOf(pkg, urlOf(pkg)))
  })
}

/** The list of projects, in pieces. */
export async function* listingJson(
  serial: number,
  pages: AsyncIterable<readonly ListedProject[]>,
  serialOf: (project: ListedProject) => number
): AsyncGenerator<string, void, undefined> {
  yield `{"meta":{"api-version":"${API_VERSION}","_last-serial":${serial}},"projects":[`
  let comma = ''
  for await (const page of pages) {
    const projects = page.map(project =>
      JSON.stringify({ '_last-serial': serialOf(project), name: project.name })
    )
    yield comma + projects.join(',')
    comma = ','
  }
  yield ']}'
}

function fileOf(pkg: IndexedPackage, url: string): Record<string, unknown> {
  const { filename, digests, requiresPython, size, uploadTime, yanked, coreMetadata, provenance } = pkg
  return {
    filename,
    url,
    hashes: digests,
    'requires-python': requiresPython ?? null,
    // PEP 700 wants a size, but no wrong one: it is left out where nobody has told it.
    size,
    'upload-time': uploadTime?.replace(/(\.\d{6})\d+Z$/, '$1Z'),
    yanked: yanked === '' ? true : yanked,
    'core-metadata': coreMetadata,
    // What the field was called before PEP 714.
    'data-dist-info-metadata': coreMetadata,
    provenance: provenance ?? null
  }
}
