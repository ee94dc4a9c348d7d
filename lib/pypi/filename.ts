/**
 * What the name of a file says: its kind, its version, and of a wheel the tags.
 */
import { isNormalizedName, normalizeName } from './name.js'
import type { PackageType } from './package.js'
import { type TagSets, tagsOfWheel } from './tags.js'
import { parseVersion } from './version.js'

/** The name of a wheel taken apart. */
export interface WheelName extends TagSets {
  /** Normalised name of the project (PEP 503). */
  readonly project: string
  readonly version: string
  /** Its number and what follows; `undefined` where there is none. */
  readonly build: readonly [number, string] | undefined
}

/** The name of an sdist taken apart. */
export interface SdistName {
  /** Normalised name of the project (PEP 503). */
  readonly project: string
  readonly version: string
}

const WHEEL_PROJECT = /^[\p{L}\p{N}_.]+$/u
const PYTHON_TAG = /^[a-z_]\w*$/i

/**
 * Takes apart the name of a wheel; `undefined` where the specification does not allow it.
 * @see https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention
 */
export function parseWheelName(filename: string): WheelName | undefined {
  const parts = filename.split('-')
  if (!filename.endsWith('.whl') || parts.length < 5 || parts.length > 6) return undefined
  const [project, version, build] = parts as [string, string, string]
  if (!WHEEL_PROJECT.test(project) || project.includes('__')) return undefined
  const buildTag = parts.length === 6 ? /^(\d+)(.*)$/.exec(build) : undefined
  const tags = tagsOfWheel(filename)
  if (buildTag === null || tags === undefined || parseVersion(version) === undefined) return undefined
  if (!tags.pythons.every(tag => PYTHON_TAG.test(tag))) return undefined
  if (![...tags.abis, ...tags.platforms].every(tag => /^\w+$/.test(tag))) return undefined
  return {
    project: normalizeName(project),
    version,
    build: buildTag && [Number(buildTag[1]), buildTag[2] as string],
    ...tags
  }
}

/**
 * Takes apart the name of an sdist; `undefined` where the specification does not allow it.
 * @see https://packaging.python.org/en/latest/specifications/source-distribution-format/#source-distribution-file-name
 */
export function parseSdistName(filename: string): SdistName | undefined {
  const [, name, version] = /^(.+)-([^-]+)\.(?:tar\.gz|zip)$/.exec(filename) ?? []
  if (name === undefined || version === undefined || parseVersion(version) === undefined) return undefined
  return { project: normalizeName(name), version }
}

const EXTENSIONS: readonly (readonly [RegExp, PackageType])[] = [
  [/\.whl$/i, 'bdist_wheel'],
  [/\.(?:tar\.(?:gz|bz2|xz|z|lz|lzma)|tar|tgz|tbz2?|txz|tlz|zip)$/i, 'sdist'],
  [/\.egg$/i, 'bdist_egg'],
  [/\.exe$/i, 'bdist_wininst'],
  [/\.msi$/i, 'bdist_msi'],
  [/\.rpm$/i, 'bdist_rpm'],
  [/\.dmg$/i, 'bdist_dmg'],
  [/\.deb$/i, 'bdist_dumb']
]

/** The platform at the end of what distutils built: `.linux-x86_64`, `.macosx-10.9-x86_64`, `.win-amd64`, … */
const PLATFORM = /[.-](?:linux|macosx|win(?:32|-)|freebsd|cygwin|solaris|sunos|aix|hp-ux|irix)[\w.-]*$/i
/** The Python that an egg, an installer or an archive was built for. */
const PYTHON = /-py\d(?:\.\d+)?$/i

/** What the name of any file of a project says. `version` is as written, be it one of PEP 440 or not. */
export interface FilenameFacts {
  readonly packageType: PackageType
  readonly version: string | undefined
}

/**
 * Reads the name of a file as it was found on the page of a project, of whatever kind and age. Nothing is refused:
 * what cannot be told is `unknown` or `undefined`.
 */
export function readFilename(filename: string, project: string): FilenameFacts {
  const [extension, kind] = EXTENSIONS.find(([pattern]) => pattern.test(filename)) ?? [undefined, 'unknown']
  if (extension === undefined) return { packageType: 'unknown', version: undefined }
  const stem = filename.replace(extension, '')
  if (kind === 'bdist_wheel') return { packageType: kind, version: wheelVersion(stem, project) }
  const version = versionAfterName(stem, project)
  if (kind === 'bdist_rpm') {
    // `VERSION-RELEASE.ARCHITECTURE`; a source package has `src` for its architecture.
    const packageType = stem.endsWith('.src') ? 'sdist' : kind
    return { packageType, version: version?.replace(/-[^-]+\.[^.-]+$/, '') }
  }
  const bare = version?.replace(PYTHON, '').replace(PLATFORM, '').replace(PYTHON, '')
  return { packageType: kind === 'sdist' && bare !== version ? 'bdist_dumb' : kind, version: bare }
}

function wheelVersion(stem: string, project: string): string | undefined {
  const version = versionAfterName(stem, project)?.split('-')[0]
  if (!version?.includes('_')) return version
  // Old wheels write `_` for the `-` of a version.
  const dashed = version.replaceAll('_', '-')
  return parseVersion(version) === undefined && parseVersion(dashed) !== undefined ? dashed : version
}

/**
 * Finds the version in `NAME-VERSION`, where the name may be written in any way; the shortest name that fits counts,
 * as for pip. `undefined` where the name is another one or nothing follows.
 */
export function versionAfterName(stem: string, project: string): string | undefined {
  const wanted = isNormalizedName(project) ? project : normalizeName(project)
  for (let dash = stem.indexOf('-'); dash >= 0; dash = stem.indexOf('-', dash + 1)) {
    if (normalizeName(stem.slice(0, dash)) === wanted) return stem.slice(dash + 1) || undefined
  }
  return undefined
}
