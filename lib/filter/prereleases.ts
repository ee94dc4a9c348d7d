/**
 * Takes out alphas, betas, release candidates and development releases, unless an include pins the very version.
 * A version that PEP 440 does not allow is none of these, and stays.
 */
import { OptionError } from '../errors.js'
import { meets, type Specifier } from '../pypi/specifier.js'
import { isPrerelease } from '../pypi/version.js'
import type { Filter, VersionReader } from './filter.js'
import type { IncludesOptions } from './includes.js'
import { requirementsByProject } from './projects.js'

export interface PrereleasesOptions extends IncludesOptions {
  /**
   * Keeps pre-releases too. Where `false`, those that an include pins (`x==2.0rc1`, `x===2.0rc1`) stay all the same;
   * `x>=2.0rc1` pins none. @defaultValue false
   */
  readonly prereleases?: boolean | undefined
}

/** Digits and dots alone are a final release; this spares most versions the reading. */
const FINAL = /^[\d.]+$/

/** Makes the filter. @throws {@link OptionError} {@link RequirementError} */
export function prereleasesFilter(
  { prereleases = false, includes }: PrereleasesOptions,
  versions: VersionReader
): Filter | undefined {
  if (typeof prereleases !== 'boolean')
    throw new OptionError('prereleases', 'true or false', typeof prereleases)
  if (prereleases) return undefined
  const wanted = requirementsByProject('includes', includes)
  return {
    name: 'prereleases',
    keeps(pkg) {
      if (pkg.version === undefined || FINAL.test(pkg.version)) return true
      const version = versions.of(pkg)
      if (version === undefined || !isPrerelease(version)) return true
      const text = pkg.version
      const requirements = wanted.get(pkg.project) ?? []
      return requirements.some(({ specifiers }) => specifiers.some(pins) && meets(specifiers, version, text))
    }
  }
}

function pins({ operator, wildcard }: Specifier): boolean {
  return operator === '===' || (operator === '==' && !wildcard)
}
