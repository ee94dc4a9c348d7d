/**
 * Takes out files that are for unwanted systems only: wheels by all of their platform tags, older kinds by what they
 * are or by the platform in their name. A wheel that another system can use too stays, and so does every sdist.
 */
import { OptionError } from '../errors.js'
import { oneOf } from '../options.js'
import type { Package, PackageType } from '../pypi/package.js'
import { type Platform, platformOfTag, tagsOfWheel } from '../pypi/tags.js'
import type { Filter } from './filter.js'

/** The systems that can be taken out. */
export type ExcludablePlatform = Exclude<Platform, 'other'>

export interface ExcludePlatformsOptions {
  /** Systems whose files are not wanted. @defaultValue [] */
  readonly excludePlatforms?: readonly ExcludablePlatform[] | undefined
}

const PLATFORMS: readonly ExcludablePlatform[] = ['windows', 'macos', 'linux', 'freebsd']

/** Kinds that one system alone can use. */
const OF_TYPE: Partial<Record<PackageType, Platform>> = {
  bdist_wininst: 'windows',
  bdist_msi: 'windows',
  bdist_dmg: 'macos',
  bdist_rpm: 'linux'
}

/** The platform at the end of eggs and archives, as distutils writes it. */
const IN_NAME = /[.-](win32|win-\w+|macosx-[\d.]+-\w+|linux-\w+|freebsd-[\w.-]+?)\.(?:egg|tar\.\w+|tgz|zip)$/

/** Makes the filter. @throws {@link OptionError} */
export function excludePlatformsFilter({
  excludePlatforms = []
}: ExcludePlatformsOptions): Filter | undefined {
  if (!Array.isArray(excludePlatforms))
    throw new OptionError('excludePlatforms', 'an array of systems', typeof excludePlatforms)
  const unwanted = new Set<Platform | undefined>(
    excludePlatforms.map(platform => oneOf('excludePlatforms', platform, PLATFORMS))
  )
  if (unwanted.size === 0) return undefined
  return { name: 'excludePlatforms', keeps: pkg => !platformsOf(pkg).every(found => unwanted.has(found)) }
}

/** The systems that a file is for; `undefined` stands for all of them. */
function platformsOf({ packageType, filename }: Package): readonly (Platform | undefined)[] {
  if (packageType === 'bdist_wheel') return tagsOfWheel(filename)?.platforms.map(platformOfTag) ?? [undefined]
  if (packageType === 'bdist_egg' || packageType === 'bdist_dumb') {
    const tag = IN_NAME.exec(filename.toLowerCase())?.[1]
    return [tag === undefined ? undefined : platformOfTag(tag.replace('-', '_'))]
  }
  return [OF_TYPE[packageType]]
}
