/** Makes packages from file names, as a page that tells nothing else would. */
import { readFilename } from '../../lib/pypi/filename.js'
import { normalizeName } from '../../lib/pypi/name.js'
import type { Package } from '../../lib/pypi/package.js'

export function makePackage(name: string, filename: string, more: Partial<Package> = {}): Package {
  return {
    project: normalizeName(name),
    name,
    filename,
    url: `https://files.example/${filename}`,
    digests: {},
    size: undefined,
    requiresPython: undefined,
    yanked: false,
    uploadTime: undefined,
    coreMetadata: false,
    provenance: undefined,
    ...readFilename(filename, name),
    ...more
  }
}

/** One sdist of project `x` for each version. */
export function versionsOfX(...versions: string[]): Package[] {
  return versions.map(version => makePackage('x', `x-${version}.tar.gz`))
}
