/**
 * The document at `/pypi/NAME/json`, as far as a catalog can tell it: what an index says of files, and nothing of what
 * is written in them.
 * @see https://docs.pypi.org/api/json/
 */
import type { IndexedPackage } from '../../catalog/index-reader.js'
import { tagsOfWheel } from '../../pypi/tags.js'
import { isPrerelease, parseVersion } from '../../pypi/version.js'
import { type ProjectPage, type UrlOf, versionsOf } from './page.js'

/** The document of a project that has files. */
export function legacyJson({ name, serial, files }: ProjectPage, urlOf: UrlOf): string {
  const releases: Record<string, unknown[]> = Object.create(null)
  const versions = versionsOf(files)
  for (const version of versions) releases[version] = []
  const newest = newestOf(versions, files)
  const urls: unknown[] = []
  for (const pkg of files) {
    const { version = UNKNOWN } = pkg
    const file = fileOf(pkg, urlOf(pkg))
    releases[version] ??= []
    releases[version].push(file)
    if (version === newest) urls.push(file)
  }
  const ofNewest = files.filter(({ version = UNKNOWN }) => version === newest)
  const yanked = ofNewest.every(pkg => pkg.yanked !== false)
  return JSON.stringify({
    info: {
      name,
      version: newest,
      requires_python: ofNewest.find(pkg => pkg.requiresPython !== undefined)?.requiresPython ?? null,
      yanked,
      yanked_reason: (yanked && ofNewest[0]?.yanked) || null
    },
    last_serial: serial,
    releases,
    urls,
    vulnerabilities: []
  })
}

/** The key of files whose version nobody has told. */
const UNKNOWN = 'unknown'

/** The version that an installer would take first: not yanked before yanked, final before pre-release, then the highest. */
function newestOf(versions: readonly string[], files: readonly IndexedPackage[]): string {
  const offered = new Set(files.filter(pkg => pkg.yanked === false).map(pkg => pkg.version))
  const rank = (version: string) => {
    const parsed = parseVersion(version)
    return (offered.has(version) ? 2 : 0) + (parsed !== undefined && !isPrerelease(parsed) ? 1 : 0)
  }
  return versions.reduce(
    (best, version) => (rank(version) >= rank(best) ? version : best),
    versions[0] ?? UNKNOWN
  )
}

function fileOf(pkg: IndexedPackage, url: string): Record<string, unknown> {
  const { filename, digests, packageType, requiresPython, size, uploadTime, yanked } = pkg
  return {
    comment_text: '',
    digests,
    downloads: -1,
    filename,
    has_sig: false,
    md5_digest: digests.md5 ?? null,
    packagetype: packageType,
    python_version: packageType === 'sdist' ? 'source' : (tagsOfWheel(filename)?.pythons.join('.') ?? 'any'),
    requires_python: requiresPython ?? null,
    size: size ?? null,
    upload_time: uploadTime?.slice(0, 19) ?? null,
    upload_time_iso_8601: uploadTime ?? null,
    url,
    yanked: yanked !== false,
    yanked_reason: yanked || null
  }
}
