/**
 * Keeps what one of the requirements names, where there are any. A version that PEP 440 does not allow is kept by a
 * requirement without specifiers and by `===`; no other can judge it.
 */
import { RequirementError } from '../errors.js'
import { formatRequirement } from '../pypi/requirement.js'
import { contradict } from '../pypi/specifier-conflict.js'
import { names } from './excludes.js'
import type { Filter, VersionReader } from './filter.js'
import { type Requirements, requirementsByProject } from './projects.js'

export interface IncludesOptions {
  /**
   * Requirements (PEP 508) of what is wanted; of several for one project each adds. Extras, markers and URLs do not
   * narrow them: an index serves environments other than its own. @defaultValue [], which wants everything
   */
  readonly includes?: Requirements | undefined
}

/** Makes the filter. @throws {@link OptionError} {@link RequirementError} */
export function includesFilter({ includes }: IncludesOptions, versions: VersionReader): Filter | undefined {
  const wanted = requirementsByProject('includes', includes)
  if (wanted.size === 0) return undefined
  for (const requirement of [...wanted.values()].flat())
    if (contradict(requirement.specifiers))
      throw new RequirementError(
        formatRequirement(requirement),
        'no version can meet all of its specifiers',
        requirement.where
      )
  return { name: 'includes', keeps: pkg => names(wanted.get(pkg.project), pkg, versions) }
}
