/**
 * What a filter is. To add one: a file beside this one, its test, and an entry in the list of `index.ts`.
 */
import type { Package } from '../pypi/package.js'
import { parseVersion, type Version } from '../pypi/version.js'

/** Decides on one file at a time, whatever came before it. */
export interface Filter {
  /** The option that sets it; listeners of `'drop'` see it. */
  readonly name: string
  /** Whether the file stays. */
  readonly keeps: (pkg: Package) => boolean
}

/** Where files go. */
export interface FilterSink {
  /** Gets each file that stays. */
  keep(pkg: Package): void
  /** Gets each file that does not, with the name of the option that took it out. */
  drop(pkg: Package, filter: string): void
}

/** Versions remembered: a project with more is no usual one, and must not fill the memory. */
const MAX_KNOWN = 10_000

/** Reads the versions of packages, each text of a project once. */
export class VersionReader {
  #project: string | undefined
  readonly #known = new Map<string, Version | undefined>()

  /** The version taken apart; `undefined` where there is none or PEP 440 does not allow it. */
  of({ project, version }: Package): Version | undefined {
    if (version === undefined) return undefined
    if (project !== this.#project) {
      this.#project = project
      this.#known.clear()
    }
    let found = this.#known.get(version)
    if (found === undefined && !this.#known.has(version)) {
      found = parseVersion(version)
      if (this.#known.size >= MAX_KNOWN) this.#known.clear()
      this.#known.set(version, found)
    }
    return found
  }
}
