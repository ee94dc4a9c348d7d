/**
 * What a sync's options stand for, so that a change of them makes exactly those projects due that it affects.
 */
import { createHash } from 'node:crypto'
import { type Requirement, type Requirements, requirementsByProject } from '../lib/filter/projects.js'
import { redactUrl } from '../lib/http/redact.js'
import { formatSpecifier } from '../lib/pypi/specifier.js'
import type { SyncOptions } from './sync-stages.js'

export interface SyncKeys {
  /** Stands for every option that decides which packages the repository has. */
  readonly key: string
  /** The same for one project, by its normalised name; whether its files come along is not in it. */
  projectKey(project: string): string
}

/** The keys of a sync whose other options have their defaults. */
export function syncKeys(options: SyncOptions, index: URL): SyncKeys {
  const { prereleases, keepLatest, python, uploadedBefore, maxFileSize } = options
  const { packageTypes, excludePlatforms, source = 'simple', policy } = options
  const forAll = digest({
    ...{ index: redactUrl(index), source, prereleases, keepLatest, python, uploadedBefore, maxFileSize },
    packageTypes: packageTypes && [...packageTypes].sort(),
    excludePlatforms: excludePlatforms && [...excludePlatforms].sort()
  })
  const includes = specifiersByProject('includes', options.includes)
  const excludes = specifiersByProject('excludes', options.excludes)
  return {
    // Other policies keep the same packages; this one has files for each of them.
    key: digest({
      forAll,
      immediate: policy === 'immediate',
      includes: [...includes].sort(),
      excludes: [...excludes].sort()
    }),
    projectKey(project) {
      const [included, excluded] = [includes.get(project) ?? '', excludes.get(project)]
      // To be asked for by name is no other than to be asked for with all others.
      return included === '' && excluded === undefined ? forAll : digest({ forAll, included, excluded })
    }
  }
}

/** For each project its requirements' specifiers, in one order: nothing else of a requirement narrows it. */
function specifiersByProject(option: string, requirements: Requirements | undefined): Map<string, string> {
  const specifiersOf = ({ specifiers }: Requirement) => specifiers.map(formatSpecifier).sort().join()
  return new Map(
    Array.from(requirementsByProject(option, requirements), ([project, all]) => [
      project,
      [...new Set(all.map(specifiersOf))].sort().join(' or ')
    ])
  )
}

function digest(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 20)
}
