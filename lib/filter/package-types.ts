/** Keeps the kinds of file that are asked for. */
import { OptionError } from '../errors.js'
import { oneOf } from '../options.js'
import type { PackageType } from '../pypi/package.js'
import type { Filter } from './filter.js'

export interface PackageTypesOptions {
  /** The kinds to keep. @defaultValue [], which keeps all */
  readonly packageTypes?: readonly PackageType[] | undefined
}

const TYPES: readonly PackageType[] = [
  'sdist',
  'bdist_wheel',
  'bdist_egg',
  'bdist_wininst',
  'bdist_msi',
  'bdist_dumb',
  'bdist_rpm',
  'bdist_dmg',
  'unknown'
]

/** Makes the filter. @throws {@link OptionError} */
export function packageTypesFilter({ packageTypes = [] }: PackageTypesOptions): Filter | undefined {
  if (!Array.isArray(packageTypes))
    throw new OptionError('packageTypes', 'an array of kinds of file', typeof packageTypes)
  const types = new Set(packageTypes.map(type => oneOf('packageTypes', type, TYPES)))
  return types.size === 0 ? undefined : { name: 'packageTypes', keeps: pkg => types.has(pkg.packageType) }
}
