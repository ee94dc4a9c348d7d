/**
 * Keeps what one version of Python can install: by requires-python (PEP 345), and wheels also by their Python tags.
 * Without requires-python, or where it cannot be read, it excludes nothing, as for pip.
 */
import { OptionError } from '../errors.js'
import type { Package } from '../pypi/package.js'
import { meets } from '../pypi/specifier.js'
import { readSpecifiers } from '../pypi/specifier-repair.js'
import { supportsPython, tagsOfWheel } from '../pypi/tags.js'
import { parseVersion } from '../pypi/version.js'
import type { Filter } from './filter.js'

export interface PythonOptions {
  /**
   * The version of Python to keep files for: `3.11`, or `3.11.4`. Of `3.11` it is enough that one release of that
   * series can install a file. @defaultValue undefined, which keeps all
   */
  readonly python?: string | undefined
}

/** More than any series of Python has had; a bound between two of them is always met by one. */
const RELEASES_OF_A_SERIES = 100
/** Verdicts remembered; an index has some thousands of different texts. */
const MAX_REMEMBERED = 10_000
/** The Python that an egg or an installer was built for. */
const BUILT_FOR = /-py(\d)(?:\.(\d+))?[.-]/

/** Makes the filter. @throws {@link OptionError} */
export function pythonFilter({ python }: PythonOptions): Filter | undefined {
  if (python === undefined) return undefined
  if (typeof python !== 'string' || !/^\d+\.\d+(?:\.\d+)?$/.test(python))
    throw new OptionError(
      'python',
      "a version of Python such as '3.11' or '3.11.4'",
      `${typeof python} ${python}`
    )
  const [major, minor, micro] = python.split('.').map(Number) as [number, number, number?]
  const releases = (
    micro === undefined ? Array.from({ length: RELEASES_OF_A_SERIES }, (_, index) => index) : [micro]
  ).map(number => `${major}.${minor}.${number}`)
  const allows = remember((text: string) => {
    const found = readSpecifiers(text)
    return (
      found === undefined || releases.some(release => meets(found.specifiers, parseVersion(release), release))
    )
  })
  return {
    name: 'python',
    keeps: pkg =>
      (pkg.requiresPython === undefined || allows(pkg.requiresPython)) && fitsName(pkg, major, minor)
  }
}

function fitsName({ packageType, filename }: Package, major: number, minor: number): boolean {
  if (packageType === 'sdist') return true
  if (packageType === 'bdist_wheel') {
    const tags = tagsOfWheel(filename)
    return tags === undefined || supportsPython(tags, major, minor)
  }
  const [, itsMajor, itsMinor] = BUILT_FOR.exec(filename) ?? []
  return (
    itsMajor === undefined ||
    (Number(itsMajor) === major && (itsMinor === undefined || Number(itsMinor) === minor))
  )
}

/** Answers what was asked before from memory. */
function remember(answer: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>()
  return text => {
    let found = known.get(text)
    if (found === undefined) {
      found = answer(text)
      if (known.size >= MAX_REMEMBERED) known.clear()
      known.set(text, found)
    }
    return found
  }
}
