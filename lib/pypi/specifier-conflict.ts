/**
 * Tells whether specifiers contradict each other, such as `>2,<1`.
 *
 * What a specifier allows is a union of intervals. If an intersection of such is not empty, the lowest version of it
 * is the first one that some clause allows, or the first after what some clause takes out. So it is enough to try these.
 */
import { meets, type Specifier } from './specifier.js'
import type { Version, VersionNumber } from './version.js'

const LOWEST: Version = {
  epoch: 0,
  release: [0],
  pre: undefined,
  post: undefined,
  dev: 0,
  local: undefined
}

/** Whether no version whatever, of PEP 440 or not, meets all clauses. */
export function contradict(specifiers: readonly Specifier[]): boolean {
  const arbitrary = specifiers.find(({ operator }) => operator === '===')
  if (arbitrary !== undefined) return !meets(specifiers, arbitrary.version, arbitrary.text)
  const depth = Math.max(0, ...specifiers.map(({ version }) => (version as Version).release.length))
  const candidates = [LOWEST, ...specifiers.flatMap(specifier => edges(specifier, depth))]
  return !candidates.some(version => meets(specifiers, version, ''))
}

/** Where the versions that a clause allows begin. */
function edges({ operator, version, wildcard }: Specifier, depth: number): Version[] {
  const wanted = version as Version
  if (wildcard)
    return [
      { ...wanted, dev: 0 },
      { ...wanted, release: raise(wanted.release), dev: 0 }
    ]
  const bare = { ...wanted, local: undefined }
  if (operator === '>' && isPlain(wanted)) return [deeper(bare, depth)]
  if (operator === '>' && wanted.dev === undefined && wanted.post === undefined) return [nextStage(bare)]
  return [wanted, bare, following(bare)]
}

function isPlain({ pre, post, dev }: Version): boolean {
  return pre === undefined && post === undefined && dev === undefined
}

/** The first version after this one and its local ones. */
function following(version: Version): Version {
  if (version.dev !== undefined) return { ...version, dev: increment(version.dev) }
  return { ...version, post: version.post === undefined ? 0 : increment(version.post), dev: 0 }
}

/** The first version after a pre-release and its post-releases. */
function nextStage(version: Version): Version {
  const [letter, number] = version.pre as ['a' | 'b' | 'rc', VersionNumber]
  return { ...version, pre: [letter, increment(number)], dev: 0 }
}

/** After all post-releases of a release comes none that would be the first; this one is before all that is written. */
function deeper(version: Version, depth: number): Version {
  const zeros = Array.from({ length: depth - version.release.length }, () => 0)
  return { ...version, release: [...version.release, ...zeros, 1], dev: 0 }
}

function raise(release: readonly VersionNumber[]): VersionNumber[] {
  return [...release.slice(0, -1), increment(release.at(-1) as VersionNumber)]
}

function increment(number: VersionNumber): VersionNumber {
  return typeof number === 'bigint' ? number + 1n : number + 1
}
