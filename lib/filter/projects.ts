/**
 * Which projects includes and excludes leave to be fetched.
 */
import { OptionError } from '../errors.js'
import { parseRequirement, type Requirement } from '../pypi/requirement.js'

export { normalizeName } from '../pypi/name.js'
export { parseRequirement, type Requirement } from '../pypi/requirement.js'

/** What people may write as `includes` and `excludes`: requirements (PEP 508), as text or taken apart. */
export type Requirements = readonly (string | Requirement)[]

/** The projects that are worth a request. */
export interface ProjectSelection {
  /** Normalised names, each once, in the order of the includes; `undefined` for all that the index lists. */
  readonly names: readonly string[] | undefined
  /** Whether a project may have files that pass. Takes a normalised name. */
  admits(project: string): boolean
}

/** Takes apart what is still text. @throws {@link OptionError} {@link RequirementError} */
export function parseRequirements(option: string, requirements: Requirements = []): readonly Requirement[] {
  if (!Array.isArray(requirements))
    throw new OptionError(option, 'an array of requirements', typeof requirements)
  return requirements.map(entry => (typeof entry === 'string' ? parseRequirement(entry) : entry))
}

/**
 * Says which projects to fetch. An exclude without a specifier takes its project out altogether; one with a specifier
 * only takes versions out, so the project is still fetched. Extras, markers and URLs do not narrow either of them.
 * @throws {@link OptionError} {@link RequirementError}
 */
export function selectProjects({
  includes,
  excludes
}: {
  readonly includes?: Requirements | undefined
  readonly excludes?: Requirements | undefined
}): ProjectSelection {
  const wanted = new Set(parseRequirements('includes', includes).map(({ project }) => project))
  const unwanted = new Set(
    parseRequirements('excludes', excludes)
      .filter(({ specifiers }) => specifiers.length === 0)
      .map(({ project }) => project)
  )
  const everything = includes === undefined || includes.length === 0
  return {
    names: everything ? undefined : [...wanted].filter(project => !unwanted.has(project)),
    admits: project => !unwanted.has(project) && (everything || wanted.has(project))
  }
}

/** Takes apart what is still text and sorts it by project. @throws {@link OptionError} {@link RequirementError} */
export function requirementsByProject(
  option: string,
  requirements?: Requirements | undefined
): ReadonlyMap<string, readonly Requirement[]> {
  const found = new Map<string, Requirement[]>()
  for (const requirement of parseRequirements(option, requirements)) {
    const others = found.get(requirement.project)
    if (others === undefined) found.set(requirement.project, [requirement])
    else others.push(requirement)
  }
  return found
}
