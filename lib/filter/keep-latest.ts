/**
 * Keeps the latest versions of each project, with all files of each that are left. It is asked last, so it counts only
 * versions of which another filter left something. Versions that PEP 440 does not allow come after all others, in the
 * order of their texts; what has no version comes last. Equal versions (`1.0` and `1.0.0`) count once.
 */
import { integer } from '../options.js'
import type { Package } from '../pypi/package.js'
import { compareVersions, type Version } from '../pypi/version.js'
import type { FilterSink, VersionReader } from './filter.js'

export interface KeepLatestOptions {
  /** How many versions of each project to keep. Whole number; 0 keeps all. @defaultValue 0 */
  readonly keepLatest?: number | undefined
}

/** Files of one version, each with its place in the order of arrival. */
interface Held {
  readonly text: string
  readonly version: Version | undefined
  readonly files: (readonly [number, Package])[]
}

/**
 * Holds the files of the latest versions of one project until the next project begins. Packages of a project must
 * arrive one after the other. What stays is let go in the order in which it arrived.
 */
export class LatestVersions {
  readonly #count: number
  readonly #versions: VersionReader
  #project: string | undefined
  #arrived = 0
  /** Latest first, never more than `#count`. */
  #held: Held[] = []

  constructor(count: number, versions: VersionReader) {
    this.#count = count
    this.#versions = versions
  }

  /** Takes one file; lets go those of the project before it, and drops those of a version that is not late enough. */
  add(pkg: Package, sink: FilterSink): void {
    if (pkg.project !== this.#project) {
      this.end(sink)
      this.#project = pkg.project
    }
    const version = this.#versions.of(pkg)
    const text = pkg.version ?? ''
    const [place, found] = this.#find(version, text)
    if (!found && place === this.#count) {
      sink.drop(pkg, 'keepLatest')
      return
    }
    if (!found) this.#held.splice(place, 0, { version, text, files: [] })
    const { files } = this.#held[place] as Held
    files.push([this.#arrived++, pkg])
    if (this.#held.length <= this.#count) return
    const surplus = this.#held.pop() as Held
    for (const [, file] of surplus.files) sink.drop(file, 'keepLatest')
  }

  /** Lets go what is held. */
  end(sink: FilterSink): void {
    const files = this.#held.flatMap(held => held.files).sort(([a], [b]) => a - b)
    this.#held = []
    for (const [, pkg] of files) sink.keep(pkg)
  }

  /** Where a version stands or would stand among those held, by halving. */
  #find(version: Version | undefined, text: string): [place: number, found: boolean] {
    let [low, high] = [0, this.#held.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const order = later(this.#held[middle] as Held, version, text)
      if (order === 0) return [middle, true]
      if (order > 0) high = middle
      else low = middle + 1
    }
    return [low, false]
  }
}

/** Above 0 where the version belongs before the one held. */
function later(held: Held, version: Version | undefined, text: string): number {
  if (version !== undefined && held.version !== undefined) return compareVersions(version, held.version)
  if (version !== undefined || held.version !== undefined) return version === undefined ? -1 : 1
  return text < held.text ? -1 : text > held.text ? 1 : 0
}

/** Checks the option. @throws {@link OptionError} */
export function latestCount({ keepLatest = 0 }: KeepLatestOptions): number {
  return integer('keepLatest', keepLatest, 0)
}
