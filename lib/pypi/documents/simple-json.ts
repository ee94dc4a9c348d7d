/**
 * The simple API in JSON, versions 1.0 to 1.4.
 * @see https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 691, 592, 658, 700, 714, 740, 792)
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

export const simpleJson: DocumentFormat = {
  name: 'PEP 691',
  syntax: 'json',
  paths: [
    'name',
    'meta.api-version',
    'meta._last-serial',
    // PEP 792 puts an object at the top.
    'project-status.status',
    'project-status.reason'
  ],
  lists: [{ key: 'files', grouped: false }],
  recognises: outline => outline.count('files') !== undefined,
  objection: outline => apiVersionObjection(outline.value('meta.api-version')),
  about: outline => ({
    name: textOf(outline.value('name')),
    serial: serialOf(outline.value('meta._last-serial')),
    status: projectStatus(outline.value('project-status.status')),
    statusReason: textOf(outline.value('project-status.reason'))
  }),
  choose: () => [{ key: 'files' }],
  file
}

function file(entry: RawEntry): FileEntry {
  const yanked = entry.yanked
  return {
    filename: entry.filename,
    url: entry.url,
    digests: entry.hashes,
    size: entry.size,
    packageType: undefined,
    version: undefined,
    requiresPython: entry['requires-python'],
    // A reason is not empty here; in HTML it may be (PEP 592).
    yanked: typeof yanked === 'string' && yanked !== '' ? yanked : yanked === true ? '' : false,
    uploadTime: entry['upload-time'],
    // PEP 714: the first name that is there counts. Warehouse wrote the third for a while, the PEP's text the second.
    coreMetadata:
      entry['core-metadata'] ?? entry['dist-info-metadata'] ?? entry['data-dist-info-metadata'] ?? false,
    provenance: entry.provenance
  }
}
