/**
 * What the tags of a wheel say of the systems and Pythons that it is for.
 * @see https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
 */

/** The systems that people tell apart. */
export type Platform = 'windows' | 'macos' | 'linux' | 'freebsd' | 'other'

/** The three tags of a wheel, each a compressed set: `py2.py3-none-any` has two Python tags. */
export interface TagSets {
  readonly pythons: readonly string[]
  readonly abis: readonly string[]
  readonly platforms: readonly string[]
}

/**
 * Finds the tags in the name of a wheel without asking whether the rest of the name is right; `undefined` where there
 * are fewer than three. A label after the platform (PEP 817) is passed over.
 */
export function tagsOfWheel(filename: string): TagSets | undefined {
  const parts = filename
    .replace(/\.whl$/i, '')
    .toLowerCase()
    .split('-')
  // A build tag begins with a digit, which no Python tag does.
  const first = /^\d/.test(parts[2] ?? '') ? 3 : 2
  const [pythons, abis, platforms] = parts.slice(first).map(set => set.split('.'))
  return pythons && abis && platforms ? { pythons, abis, platforms } : undefined
}

/** Writes out a compressed set: each Python tag with each ABI tag and each platform tag. */
export function expandTags({ pythons, abis, platforms }: TagSets): string[] {
  return pythons.flatMap(python =>
    abis.flatMap(abi => platforms.map(platform => `${python}-${abi}-${platform}`))
  )
}

const PLATFORMS: readonly (readonly [RegExp, Platform])[] = [
  [/^(?:win(?:32|_)|win$|mingw|msys|cygwin)/, 'windows'],
  [/^macosx_/, 'macos'],
  [/^(?:many|musl)?linux/, 'linux'],
  [/^freebsd_/, 'freebsd']
]

/**
 * Says which system a platform tag is for; `undefined` for `any`. Of Linux are `linux_*`, `manylinux*` (PEP 513, 571,
 * 599, 600) and `musllinux_*` (PEP 656); iOS (PEP 730), Android (PEP 738), Emscripten and the rest are `other`.
 */
export function platformOfTag(tag: string): Platform | undefined {
  if (tag === 'any') return undefined
  return PLATFORMS.find(([pattern]) => pattern.test(tag))?.[1] ?? 'other'
}

/**
 * Tells whether a Python of this version can use one of the tags. `py` tags and the stable ABI (`abi3`) hold for all
 * later minor versions, any other tag for its own one; which implementation it is (`cp`, `pp`, …) does not matter.
 * A tag without a version in it excludes nothing.
 */
export function supportsPython({ pythons, abis }: TagSets, major: number, minor: number): boolean {
  const stable = abis.some(abi => abi === 'abi3' || abi === 'abi3t')
  return pythons.some(tag => {
    const [, implementation, itsMajor, itsMinor] = /^([a-z]+)(\d)_?(\d*)$/.exec(tag) ?? []
    if (implementation === undefined) return true
    if (Number(itsMajor) !== major) return false
    if (itsMinor === '' || Number(itsMinor) === minor) return true
    return (implementation === 'py' || (implementation === 'cp' && stable)) && Number(itsMinor) < minor
  })
}
