/**
 * Counts what a sync would bring, and keeps nothing.
 *
 * in     packages that the filters left, those of one project one after the other
 * out    nothing; `projects` says for each project what of it is not in the repository yet
 * holds  at most `highWaterMark` packages, the digests of one project's packages in the repository, and a row a project
 * fails  with a `CatalogError`
 */
import { addAbortSignal, Writable } from 'node:stream'
import type { Catalog } from '../lib/catalog/catalog.js'
import type { Package } from '../lib/pypi/package.js'
import type { PlannedProject } from '../lib/report.js'

export interface PlanWriterOptions {
  /** To compare with; without one everything is new. */
  readonly catalog?: Catalog | undefined
  /** Must be in the catalog. */
  readonly repository: string
  /** Destroys the stream when aborted. */
  readonly signal?: AbortSignal | undefined
}

type Callback = (error?: Error | null) => void

export class PlanWriter extends Writable {
  /** One for each project of which something is new, in the order in which they came. */
  readonly projects: PlannedProject[] = []
  readonly #catalog: Catalog | undefined
  readonly #repository: string
  #project: string | undefined
  /** File names of the project in the repository, and a digest that tells whether it is the same file. */
  #present = new Map<string, string>()
  #planned: PlannedProject | undefined

  constructor({ catalog, repository, signal }: PlanWriterOptions) {
    super({ objectMode: true })
    this.#catalog = catalog
    this.#repository = repository
    // Not through `super`: a signal that is aborted already would destroy what is not made yet.
    if (signal !== undefined) addAbortSignal(signal, this)
  }

  override _write(pkg: Package, _encoding: BufferEncoding, callback: Callback): void {
    if (pkg.project === this.#project) {
      this.#count(pkg)
      callback()
      return
    }
    this.#begin(pkg.project).then(() => {
      this.#count(pkg)
      callback()
    }, callback)
  }

  async #begin(project: string): Promise<void> {
    this.#project = project
    this.#planned = undefined
    this.#present.clear()
    if (this.#catalog === undefined) return
    for await (const { filename, digests } of this.#catalog.packages(this.#repository, { project })) {
      this.#present.set(filename, keyOf(digests))
    }
  }

  #count({ project, filename, digests, size }: Package): void {
    if (this.#present.get(filename) === keyOf(digests)) return
    if (this.#planned === undefined) {
      this.#planned = { project, packages: 0, bytes: 0, unknownSizes: 0 }
      this.projects.push(this.#planned)
    }
    this.#planned.packages++
    if (size === undefined) this.#planned.unknownSizes++
    else this.#planned.bytes += size
  }
}

/** What tells two files of one name apart: the sha256, or all digests where there is none. */
function keyOf(digests: Package['digests']): string {
  return digests.sha256 ?? JSON.stringify(digests)
}
