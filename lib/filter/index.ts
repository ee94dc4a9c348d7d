/**
 * The list of filters, and the one that asks them all.
 */
import type { Package } from '../pypi/package.js'
import { excludePlatformsFilter } from './exclude-platforms.js'
import { excludesFilter } from './excludes.js'
import { type Filter, type FilterSink, VersionReader } from './filter.js'
import { includesFilter } from './includes.js'
import { type KeepLatestOptions, LatestVersions, latestCount } from './keep-latest.js'
import { maxFileSizeFilter } from './max-file-size.js'
import { packageTypesFilter } from './package-types.js'
import { prereleasesFilter } from './prereleases.js'
import { pythonFilter } from './python.js'
import { uploadedBeforeFilter } from './uploaded-before.js'

/** Asked in this order; the first that takes a file out is the one that is named. `keepLatest` comes after them. */
const FILTERS = [
  excludesFilter,
  includesFilter,
  prereleasesFilter,
  packageTypesFilter,
  excludePlatformsFilter,
  pythonFilter,
  uploadedBeforeFilter,
  maxFileSizeFilter
] as const

type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (
  all: infer All
) => void
  ? All
  : never

/** The options of all filters; each is described in the file of its filter. */
export type FilterOptions = Intersection<Parameters<(typeof FILTERS)[number]>[0]> & KeepLatestOptions

/** Takes files one by one. */
export interface FilterChain {
  /** Passes a file on to the sink: at once, or with `keepLatest` when the next project begins. */
  add(pkg: Package, sink: FilterSink): void
  /** Says that there are no more files, which lets go what `keepLatest` holds. */
  end(sink: FilterSink): void
}

/**
 * Makes one filter of all that the options ask for. Its result does not depend on the order of a project's files, but
 * with `keepLatest` those of one project must come one after the other.
 * @throws {@link OptionError} {@link RequirementError}
 */
export function createFilter(options: FilterOptions): FilterChain {
  const versions = new VersionReader()
  const filters = FILTERS.map(make => make(options, versions)).filter(made => made !== undefined)
  const count = latestCount(options)
  const latest = count === 0 ? undefined : new LatestVersions(count, versions)
  return {
    add(pkg, sink) {
      const refusing = firstRefusing(filters, pkg)
      if (refusing !== undefined) sink.drop(pkg, refusing.name)
      else if (latest === undefined) sink.keep(pkg)
      else latest.add(pkg, sink)
    },
    end: sink => latest?.end(sink)
  }
}

function firstRefusing(filters: readonly Filter[], pkg: Package): Filter | undefined {
  for (const filter of filters) if (!filter.keeps(pkg)) return filter
  return undefined
}
