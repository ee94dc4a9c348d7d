/**
 * Warehouse's own document at `/pypi/NAME/json` and `/pypi/NAME/VERSION/json`.
 * @see https://docs.pypi.org/api/json/
 */
import { type DocumentFormat, type FileEntry, type RawEntry, serialOf, textOf } from './format.js'

export const legacyJson: DocumentFormat = {
  name: 'legacy JSON',
  syntax: 'json',
  paths: ['info.name', 'info.version', 'last_serial'],
  lists: [
    { key: 'releases', grouped: true },
    { key: 'urls', grouped: false }
  ],
  recognises: outline => outline.count('releases') !== undefined || outline.count('urls') !== undefined,
  objection: () => undefined,
  about: outline => ({
    name: textOf(outline.value('info.name')),
    serial: serialOf(outline.value('last_serial'))
  }),
  choose: outline => {
    // `urls` repeats the files of one version. Documents of a version have no `releases`, or not that one in it.
    const version = textOf(outline.value('info.version'))
    const known = version === undefined ? outline.count('releases') : outline.count('releases', version)
    return known ? [{ key: 'releases' }] : [{ key: 'releases' }, { key: 'urls', group: version }]
  },
  file
}

function file(entry: RawEntry, version: string | undefined): FileEntry {
  const reason = entry.yanked_reason
  return {
    filename: entry.filename,
    url: entry.url,
    digests: digests(entry.digests, entry.md5_digest),
    size: entry.size,
    packageType: entry.packagetype,
    version,
    requiresPython: entry.requires_python,
    yanked: entry.yanked === true ? (typeof reason === 'string' ? reason : '') : false,
    // The older field has whole seconds and no zone, and means UTC.
    uploadTime: entry.upload_time_iso_8601 ?? entry.upload_time,
    coreMetadata: entry['core-metadata'] ?? false,
    provenance: entry.provenance
  }
}

/** Documents from before 2016 have only the MD5, and outside the object. */
function digests(found: unknown, md5: unknown): unknown {
  if (typeof md5 !== 'string' || md5 === '') return found
  if (found === null || typeof found !== 'object') return { md5 }
  return 'md5' in found ? found : { ...found, md5 }
}
