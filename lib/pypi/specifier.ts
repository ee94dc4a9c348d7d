/**
 * Version specifiers as PEP 440 defines them and pypa/packaging reads them.
 *
 * `@renovatebot/pep440` has specifiers too, which fail packaging's suites: it lets `==2.0a1.*` pass as valid, finds
 * `1.0.post0` not below `1.0.post1`, `2rc1` not in `==2.0.*`, `1.0+downstream1` in `===1.0`, and throws for a
 * version that cannot be parsed. Ours also take a specifier apart once, not at every question.
 *
 * @see https://packaging.python.org/en/latest/specifications/version-specifiers/#version-specifiers
 */
import { RequirementError } from '../errors.js'
import { comparePublic, compareVersions, isPrerelease, parseVersion, type Version } from './version.js'

/** How a specifier compares. */
export type Operator = '==' | '!=' | '<=' | '>=' | '<' | '>' | '~=' | '==='

/** One clause, such as `>=1.0` or `==2.*`. */
export interface Specifier {
  readonly operator: Operator
  /** The version as written, without `.*`. */
  readonly text: string
  /** `undefined` where `===` names something that PEP 440 does not allow. */
  readonly version: Version | undefined
  /** Whether `.*` follows. */
  readonly wildcard: boolean
}

const CLAUSE = /^(===|==|~=|!=|<=|>=|<|>)\s*(\S+)$/

/** Reads one clause. @throws {@link RequirementError} */
export function parseSpecifier(text: string): Specifier {
  const [, operator, wanted] = (CLAUSE.exec(text.trim()) ?? []) as unknown as [string, Operator, string]
  if (operator === undefined)
    throw new RequirementError(text, 'a specifier is an operator and a version, such as >=1.0')
  if (operator === '===') {
    if (/[;)]/.test(wanted)) throw new RequirementError(text, 'the version must not contain ; or )')
    return { operator, text: wanted, version: parseVersion(wanted), wildcard: false }
  }
  const equality = operator === '==' || operator === '!='
  const wildcard = wanted.endsWith('.*')
  if (wildcard && !equality) throw new RequirementError(text, '.* is for == and != only')
  const bare = wildcard ? wanted.slice(0, -2) : wanted
  const version = parseVersion(bare)
  if (version === undefined) throw new RequirementError(text, `${bare} is not a version (PEP 440)`)
  const { pre, post, dev, local } = version
  if (local !== undefined && (wildcard || !equality))
    throw new RequirementError(text, 'a local version is for == and != only, without .*')
  if (wildcard && (pre ?? post ?? dev) !== undefined)
    throw new RequirementError(text, '.* follows the numbers of a release only')
  if (operator === '~=' && version.release.length < 2)
    throw new RequirementError(text, '~= needs two numbers or more')
  return { operator, text: bare, version, wildcard }
}

/** Reads clauses separated by commas; an empty text gives none, which every version meets. @throws {@link RequirementError} */
export function parseSpecifiers(text: string): readonly Specifier[] {
  return text
    .split(',')
    .filter(clause => clause.trim() !== '')
    .map(parseSpecifier)
}

/** Writes a clause without white space. */
export function formatSpecifier({ operator, text, wildcard }: Specifier): string {
  return `${operator}${text}${wildcard ? '.*' : ''}`
}

/**
 * Tells whether a version meets all clauses. Pre-releases get no treatment of their own beyond PEP 440's ordering
 * (`<2.0` leaves out `2.0rc1`). `version` is `undefined` for a text that PEP 440 does not allow: only `===` can name it.
 */
export function meets(specifiers: readonly Specifier[], version: Version | undefined, text: string): boolean {
  return specifiers.every(specifier => meetsOne(specifier, version, text))
}

function meetsOne(specifier: Specifier, version: Version | undefined, text: string): boolean {
  if (specifier.operator === '===') return specifier.text.toLowerCase() === text.toLowerCase()
  if (version === undefined) return false
  const wanted = specifier.version as Version
  switch (specifier.operator) {
    case '==':
      return equals(specifier, wanted, version)
    case '!=':
      return !equals(specifier, wanted, version)
    case '<=':
      return comparePublic(version, wanted) <= 0
    case '>=':
      return comparePublic(version, wanted) >= 0
    case '~=':
      return comparePublic(version, wanted) >= 0 && startsWith(version, wanted, wanted.release.length - 1)
    case '<':
      return comparePublic(version, isPrerelease(wanted) ? wanted : { ...wanted, dev: 0 }) < 0
    case '>':
      return comparePublic(version, wanted) > 0 && !isPostReleaseOf(version, wanted)
  }
}

function equals({ wildcard }: Specifier, wanted: Version, version: Version): boolean {
  if (wildcard) return startsWith(version, wanted, wanted.release.length)
  return (wanted.local === undefined ? comparePublic : compareVersions)(version, wanted) === 0
}

/** Whether the first `count` numbers of both releases are the same; missing ones are zeros. */
function startsWith(version: Version, { epoch, release }: Version, count: number): boolean {
  return (
    equalNumbers(version.epoch, epoch) &&
    release.slice(0, count).every((number, index) => equalNumbers(version.release[index] ?? 0, number))
  )
}

/** Not `===`: of two equal numbers one may be a bigint, where it was written with many zeros in front. */
function equalNumbers(a: number | bigint, b: number | bigint): boolean {
  return !(a < b) && !(a > b)
}

/** `>1.0` leaves out `1.0.post1`, unless it names a post-release itself. */
function isPostReleaseOf(version: Version, wanted: Version): boolean {
  if (version.post === undefined || wanted.post !== undefined) return false
  return comparePublic({ ...version, post: undefined, dev: undefined }, wanted) === 0
}
