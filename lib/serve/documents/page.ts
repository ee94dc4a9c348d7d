/**
 * What the page of a project says, whatever its format, and the serial numbers by which a mirror of this index tells
 * what has changed.
 */
import type { IndexedPackage, IndexedProject, IndexedRepository } from '../../catalog/index-reader.js'
import type { Digests, ProjectStatus } from '../../pypi/package.js'
import { compareVersions, parseVersion, type Version } from '../../pypi/version.js'

/** Version of the simple API that the pages speak: 1.4 is the one with PEP 792. */
export const API_VERSION = '1.4'

export interface ProjectPage {
  /** Normalised name. */
  readonly project: string
  /** As published. */
  readonly name: string
  readonly status: ProjectStatus
  readonly statusReason: string | undefined
  readonly serial: number
  readonly files: readonly IndexedPackage[]
}

/** Gives the URL of a file, as a page has it. */
export type UrlOf = (pkg: IndexedPackage) => string

const STATUSES: readonly ProjectStatus[] = ['active', 'archived', 'deprecated', 'quarantined']

/**
 * Serial number of a project whose files changed last in `version`. It grows with each version and changes with the
 * project's status. It begins with the time at which the repository was made, so that a mirror does not take a
 * repository that was made anew for the old one.
 */
export function projectSerial(
  { createdAt }: Pick<IndexedRepository, 'createdAt'>,
  version: number,
  status: ProjectStatus
): number {
  return Math.floor(Date.parse(createdAt) / 1000) + version * STATUSES.length + STATUSES.indexOf(status)
}

/** Serial number of a repository: no lower than that of any project in it. */
export function repositorySerial(repository: Pick<IndexedRepository, 'createdAt' | 'version'>): number {
  return projectSerial(repository, repository.version, 'quarantined')
}

/** The page of a project, as far as it may be shown: an index offers no file of a quarantined project (PEP 792). */
export function projectPage(
  repository: IndexedRepository,
  { project, name, status, statusReason }: IndexedProject,
  files: readonly IndexedPackage[],
  changed: number
): ProjectPage {
  return {
    ...{ project, name, status, statusReason },
    serial: projectSerial(repository, changed, status),
    files: status === 'quarantined' ? [] : files
  }
}

/** What names a file in its URL: its sha256, or the number of its row where the index does not tell that. */
export function fileKey({ digests, id }: Pick<IndexedPackage, 'digests' | 'id'>): string {
  return digests.sha256 ?? `id-${id}`
}

/** Where a file lies below the root of its repository. */
export function filePath(pkg: Pick<IndexedPackage, 'project' | 'filename' | 'digests' | 'id'>): string {
  return `files/${encodeURIComponent(pkg.project)}/${fileKey(pkg)}/${encodeURIComponent(pkg.filename)}`
}

/** The versions of the files, each once, in the order of PEP 440; what that cannot parse comes first. */
export function versionsOf(files: readonly IndexedPackage[]): string[] {
  const odd: string[] = []
  const versions: (readonly [string, Version])[] = []
  for (const version of new Set(files.map(file => file.version))) {
    if (version === undefined) continue
    const parsed = parseVersion(version)
    if (parsed === undefined) odd.push(version)
    else versions.push([version, parsed])
  }
  versions.sort(([, a], [, b]) => compareVersions(a, b))
  return [...odd.sort(), ...versions.map(([version]) => version)]
}

/** The digest that goes into a link, by the algorithms that links may have (PEP 503). */
export function linkDigest(digests: Digests): string | undefined {
  const algorithm = ['sha256', 'sha384', 'sha512', 'sha224', 'sha1', 'md5'].find(name => digests[name])
  return algorithm === undefined ? undefined : `${algorithm}=${digests[algorithm]}`
}
