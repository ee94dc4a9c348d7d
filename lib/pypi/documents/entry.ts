/**
 * Makes a package of what a document says of a file: checks it, and brings all formats to one form.
 */
import { type FilenameFacts, readFilename } from '../filename.js'
import { normalizeName } from '../name.js'
import type { Digests, Package, PackageType } from '../package.js'
import { filenameOfUrl, unsafeFilename } from '../safe-filename.js'
import { compareVersions, parseVersion } from '../version.js'
import type { FileEntry } from './format.js'

/** What holds for all files of a document. */
export interface EntryContext {
  /** Normalised name of the project. */
  readonly project: string
  /** Its name as published. */
  readonly name: string
  /** Where the document came from, as it may be shown. */
  readonly url: string
  /** What relative URLs are resolved against. */
  readonly base: string
}

/** Absolute URLs that the URL parser would give back letter by letter; nearly all, and at a tenth of the cost. */
const NAME = String.raw`(?:(?!xn--)[a-z0-9-]+\.)*(?!xn--)[a-z][a-z0-9-]*`
const OCTET = String.raw`(?:[1-9]?\d|1\d\d|2[0-4]\d|25[0-5])`
const PORT = String.raw`:(?!80/|443/)(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3})`
const PATH = '(?:/[A-Za-z0-9_~+!=-][A-Za-z0-9_.~%+!=-]*)+'
const PLAIN_URL = new RegExp(`^https?://(?:${NAME}|(?:${OCTET}\\.){3}${OCTET})(?:${PORT})?${PATH}$`)
/** A wheel without a build tag, or an sdist. */
const PLAIN_FILENAME =
  /^([A-Za-z0-9._]+)-(\d{1,15}(?:\.\d{1,15})*(?:(?:a|b|rc|\.post|\.dev)\d{1,15})?)(\.tar\.gz|-[^-]+-[^-]+-[^-]+\.whl)$/
/** A time in the form that all are brought to. */
const NORMAL_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d{0,8}[1-9])?Z$/
const PACKAGE_TYPES: readonly string[] = [
  'sdist',
  'bdist_wheel',
  'bdist_egg',
  'bdist_wininst',
  'bdist_msi',
  'bdist_dumb',
  'bdist_rpm',
  'bdist_dmg'
]
/** Hex digits of a digest; of others only that they are hex is known. */
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['md5', 32],
  ['sha1', 40],
  ['sha224', 56],
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
  ['sha3_224', 56],
  ['sha3_256', 64],
  ['sha3_384', 96],
  ['sha3_512', 128],
  ['blake2b', 128],
  ['blake2b_256', 64],
  ['blake2s', 64]
])
/** A file has up to 3. */
const MAX_DIGESTS = 8
/** As many as servers take. */
const MAX_URL = 8192
/** The longest requires-python on pypi.org has some 200. A longer reason for yanking is cut. */
const MAX_TEXT = 4096
/** That of a file name cannot be longer. */
const MAX_VERSION = 255

/** What is wrong with an entry. Not yet an error: those are dear, and a hostile document has a great many. */
export interface Flaw {
  readonly filename: string | undefined
  readonly why: string
}

/**
 * Makes a package of an entry.
 * @param report is called for what the entry can do without, such as a digest that is none.
 * @returns the flaw where the entry cannot be used at all
 */
export function packageOf(
  entry: FileEntry,
  context: EntryContext,
  report: (flaw: Flaw) => void
): Package | Flaw {
  const given = typeof entry.filename === 'string' && entry.filename !== '' ? entry.filename : undefined
  const url = fileUrl(entry.url, context.base)
  if (typeof url !== 'string') return { filename: given?.slice(0, 300), why: url.objection }
  const filename = given ?? filenameOfUrl(new URL(url))
  if (filename === undefined) return { filename: undefined, why: 'it has no name' }
  const objection = unsafeFilename(filename)
  if (objection !== undefined) return { filename: filename.slice(0, 300), why: objection }
  const facts = factsOf(filename, context.project)
  const leaveOut = (why: string) => report({ filename, why })
  const size = entry.size
  return {
    project: context.project,
    name: context.name,
    version: versionOf(entry.version, facts.version),
    filename,
    url,
    digests: digestsOf(entry.digests, leaveOut) ?? {},
    size: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
    packageType: packageTypeOf(entry.packageType, facts.packageType),
    requiresPython: requiresPythonOf(entry.requiresPython, leaveOut),
    yanked: entry.yanked === false ? false : entry.yanked.slice(0, MAX_TEXT),
    uploadTime: uploadTimeOf(entry.uploadTime),
    coreMetadata: coreMetadataOf(entry.coreMetadata, leaveOut),
    provenance: provenanceOf(entry.provenance, context.base)
  }
}

/** The absolute URL of a file, without its fragment, or what is wrong with it. */
function fileUrl(given: unknown, base: string): string | { objection: string } {
  if (typeof given !== 'string' || given === '') return { objection: 'it has no URL' }
  if (given.length > MAX_URL) return { objection: `its URL is longer than ${MAX_URL} characters` }
  if (PLAIN_URL.test(given)) return given
  if (!URL.canParse(given, base)) return { objection: 'its URL is none' }
  const url = new URL(given, base)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { objection: `its URL has the scheme ${url.protocol}, not http: or https:` }
  // They would be stored, served and logged. Credentials for an index belong to its own URL.
  if (url.username !== '' || url.password !== '') return { objection: 'its URL has credentials in it' }
  url.hash = ''
  return url.href
}

/** As `readFilename` says, and in half the time for the names that nearly all files have. */
function factsOf(filename: string, project: string): FilenameFacts {
  const [, name, version, extension] = PLAIN_FILENAME.exec(filename) ?? []
  if (name === undefined || !isSpelled(name, project)) return readFilename(filename, project)
  return { packageType: extension === '.tar.gz' ? 'sdist' : 'bdist_wheel', version }
}

/** How the last project was spelled that was spelled otherwise than normalised: as all its files have it. */
const spelled = { name: '', project: '' }

function isSpelled(name: string, project: string): boolean {
  if (name === project || (name === spelled.name && project === spelled.project)) return true
  if (normalizeName(name) !== project) return false
  spelled.name = name
  spelled.project = project
  return true
}

/** That of the file name where both mean the same one, so that every format gives the same text. */
function versionOf(stated: string | undefined, named: string | undefined): string | undefined {
  if (stated === undefined || stated === named || stated.length > MAX_VERSION) return named
  if (named === undefined) return stated
  const [left, right] = [parseVersion(stated), parseVersion(named)]
  return left !== undefined && right !== undefined && compareVersions(left, right) === 0 ? named : stated
}

function packageTypeOf(stated: unknown, named: PackageType): PackageType {
  return PACKAGE_TYPES.includes(stated as string) ? (stated as PackageType) : named
}

function requiresPythonOf(stated: unknown, leaveOut: (why: string) => void): string | undefined {
  if (typeof stated !== 'string') return undefined
  if (stated.length > MAX_TEXT) {
    leaveOut(`its requires-python is longer than ${MAX_TEXT} characters and is left out`)
    return undefined
  }
  const trimmed = stated.trim()
  return trimmed === '' ? undefined : trimmed
}

/** Digests that are ones, in lower case; `undefined` where the value is no object. */
function digestsOf(stated: unknown, leaveOut: (why: string) => void): Digests | undefined {
  if (stated === null || typeof stated !== 'object' || Array.isArray(stated)) return undefined
  const digests: Record<string, string> = {}
  let count = 0
  for (const key in stated) {
    if (++count > MAX_DIGESTS) break
    const value: unknown = (stated as Record<string, unknown>)[key]
    if (value === null || value === '') continue
    const algorithm = key.toLowerCase()
    if (isDigest(algorithm, value)) digests[algorithm] = value.toLowerCase()
    else leaveOut(`its ${JSON.stringify(key.slice(0, 40))} is no such digest and is left out`)
  }
  return digests
}

function isDigest(algorithm: string, value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 256 || !/^[0-9a-f]+$/i.test(value)) return false
  const digits = HEX_DIGITS.get(algorithm)
  // The pattern also keeps `__proto__` out.
  return digits === undefined ? /^[a-z][a-z0-9_-]{0,39}$/.test(algorithm) : value.length === digits
}

function coreMetadataOf(stated: unknown, leaveOut: (why: string) => void): boolean | Digests {
  if (stated === true) return true
  const digests = digestsOf(stated, leaveOut)
  if (digests === undefined) return false
  for (const _ in digests) return digests
  return true
}

/** ISO 8601 in UTC, with as much of a second as is not zero; `undefined` where it is no time. */
function uploadTimeOf(stated: unknown): string | undefined {
  if (typeof stated !== 'string') return undefined
  if (NORMAL_TIME.test(stated)) return stated
  const parts =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/.exec(stated) ?? undefined
  if (parts === undefined) return undefined
  const [, date, time, fraction = '', zone = 'Z'] = parts
  const instant = Date.parse(`${date}T${time}${zone}`)
  if (Number.isNaN(instant)) return undefined
  const whole = zone === 'Z' ? `${date}T${time}` : new Date(instant).toISOString().slice(0, 19)
  const rest = fraction.replace(/0+$/, '')
  return rest === '' ? `${whole}Z` : `${whole}.${rest}Z`
}

function provenanceOf(stated: unknown, base: string): string | undefined {
  const url = fileUrl(stated, base)
  return typeof url === 'string' ? url : undefined
}
