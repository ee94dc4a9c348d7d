/**
 * Versions as PEP 440 reads and orders them.
 *
 * `@renovatebot/pep440` takes the text apart. Four things are ours, because its results are wrong or too dear:
 * - local segments: `1.0+1e5` becomes `1.0+100000` there, and `1.0+0x10` becomes `1.0+16`;
 * - writing a version with a local number: `1.0.5+9.5` becomes `1.0.5+9,5` (in packaging's suite `normalize`);
 * - numbers past 2^53: `1.0.dev12345678901234567890` and `…891` are equal there;
 * - comparing: its `compare` takes texts and reads both again on every call.
 *
 * @see https://packaging.python.org/en/latest/specifications/version-specifiers/
 */
import { parse } from '@renovatebot/pep440'

/** One number of a version; a bigint only where a double would not be exact. They compare with each other by `<`. */
export type VersionNumber = number | bigint

/** A version taken apart. */
export interface Version {
  readonly epoch: VersionNumber
  readonly release: readonly VersionNumber[]
  readonly pre: readonly ['a' | 'b' | 'rc', VersionNumber] | undefined
  readonly post: VersionNumber | undefined
  readonly dev: VersionNumber | undefined
  readonly local: readonly (string | VersionNumber)[] | undefined
}

const PLAIN = /^\d{1,15}(?:\.\d{1,15})*$/
const LONG_NUMBERS = /\d{16,}/g
/** Numbers from here on stand for a longer one, by its place in a list: the library turns every number into a double. */
const STAND_IN = 9e15

/** Takes a version apart; `undefined` when PEP 440 does not allow it. White space around it is allowed. */
export function parseVersion(text: string): Version | undefined {
  const trimmed = text.trim()
  if (PLAIN.test(trimmed)) {
    const release = trimmed.split('.').map(Number)
    return { epoch: 0, release, pre: undefined, post: undefined, dev: undefined, local: undefined }
  }
  const long: bigint[] = []
  const plus = trimmed.indexOf('+')
  const open = plus < 0 ? trimmed : trimmed.slice(0, plus)
  const parsed = parse(
    open.replace(LONG_NUMBERS, digits => String(STAND_IN + long.push(BigInt(digits)) - 1)) +
      trimmed.slice(open.length)
  )
  if (parsed === null) return undefined
  const exact = (value: unknown): VersionNumber => {
    const found = Number(value)
    return found < STAND_IN ? found : (long[found - STAND_IN] as bigint)
  }
  return {
    epoch: exact(parsed.epoch),
    release: parsed.release.map(exact),
    pre: parsed.pre ? [parsed.pre[0] as 'a' | 'b' | 'rc', exact(parsed.pre[1])] : undefined,
    post: parsed.post ? exact(parsed.post[1]) : undefined,
    dev: parsed.dev ? exact(parsed.dev[1]) : undefined,
    local:
      plus < 0
        ? undefined
        : trimmed
            .slice(plus + 1)
            .split(/[-_.]/)
            .map(localSegment)
  }
}

function localSegment(segment: string): string | VersionNumber {
  if (!/^\d+$/.test(segment)) return segment.toLowerCase()
  return segment.length < 16 ? Number(segment) : BigInt(segment)
}

/** Whether it is an alpha, beta, release candidate or development release. */
export function isPrerelease(version: Version): boolean {
  return version.pre !== undefined || version.dev !== undefined
}

/** Orders two versions: below 0, 0 or above 0. `1.0` and `1.0.0` are equal; the local part counts. */
export function compareVersions(a: Version, b: Version): number {
  return comparePublic(a, b) || compareLocal(a.local, b.local)
}

/** Orders two versions without their local parts. */
export function comparePublic(a: Version, b: Version): number {
  return (
    compareNumbers(a.epoch, b.epoch) ||
    compareReleases(a.release, b.release) ||
    compareNumbers(stage(a), stage(b)) ||
    compareNumbers(a.pre?.[1] ?? 0, b.pre?.[1] ?? 0) ||
    compareNumbers(a.post ?? -1, b.post ?? -1) ||
    compareNumbers(a.dev ?? Number.POSITIVE_INFINITY, b.dev ?? Number.POSITIVE_INFINITY)
  )
}

function compareNumbers(a: VersionNumber, b: VersionNumber): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareReleases(a: readonly VersionNumber[], b: readonly VersionNumber[]): number {
  const length = Math.max(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const order = compareNumbers(a[index] ?? 0, b[index] ?? 0)
    if (order !== 0) return order
  }
  return 0
}

/** Where in the life of its release a version stands: bare development releases come first of all. */
function stage({ pre, post, dev }: Version): number {
  if (pre !== undefined) return pre[0] === 'a' ? 1 : pre[0] === 'b' ? 2 : 3
  return post === undefined && dev !== undefined ? 0 : 4
}

/** No local part comes first, then words in their order, then numbers in theirs. */
function compareLocal(a: Version['local'], b: Version['local']): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  for (let index = 0; index < a.length && index < b.length; index++) {
    const [left, right] = [a[index], b[index]] as [string | VersionNumber, string | VersionNumber]
    const order =
      Number(typeof left !== 'string') - Number(typeof right !== 'string') ||
      compareNumbers(left as VersionNumber, right as VersionNumber)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Writes a version in its normal form, with the zeros of its release as they were. */
export function formatVersion({ epoch, release, pre, post, dev, local }: Version): string {
  return [
    epoch > 0 ? `${epoch}!` : '',
    release.join('.'),
    pre === undefined ? '' : pre.join(''),
    post === undefined ? '' : `.post${post}`,
    dev === undefined ? '' : `.dev${dev}`,
    local === undefined ? '' : `+${local.join('.')}`
  ].join('')
}

/** Writes a version so that equal versions give equal texts; a text that PEP 440 does not allow stays as it is. */
export function canonicalizeVersion(text: string): string {
  const version = parseVersion(text)
  return version === undefined ? text : formatVersion({ ...version, release: trimZeros(version.release) })
}

function trimZeros(release: readonly VersionNumber[]): readonly VersionNumber[] {
  let length = release.length
  while (length > 1 && Number(release[length - 1]) === 0) length--
  return release.slice(0, length)
}
