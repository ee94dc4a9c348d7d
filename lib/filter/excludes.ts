/**
 * Takes out what a requirement names. A requirement without a specifier takes out the whole project, also the versions
 * that PEP 440 does not allow; one with specifiers can judge those by `===` only, so they stay.
 */
import type { Package } from '../pypi/package.js'
import { meets } from '../pypi/specifier.js'
import type { Filter, VersionReader } from './filter.js'
import { type Requirement, type Requirements, requirementsByProject } from './projects.js'

export interface ExcludesOptions {
  /**
   * Requirements (PEP 508) of what is not wanted; they win over `includes`. Extras, markers and URLs do not narrow
   * them. @defaultValue []
   */
  readonly excludes?: Requirements | undefined
}

/** Makes the filter. @throws {@link OptionError} {@link RequirementError} */
export function excludesFilter({ excludes }: ExcludesOptions, versions: VersionReader): Filter | undefined {
  const unwanted = requirementsByProject('excludes', excludes)
  if (unwanted.size === 0) return undefined
  return { name: 'excludes', keeps: pkg => !names(unwanted.get(pkg.project), pkg, versions) }
}

/** Whether one of the requirements of the package's project names its version. */
export function names(
  requirements: readonly Requirement[] | undefined,
  pkg: Package,
  versions: VersionReader
): boolean {
  if (requirements === undefined) return false
  const version = versions.of(pkg)
  return requirements.some(({ specifiers }) => meets(specifiers, version, pkg.version ?? ''))
}
