/**
 * Asks the catalog which projects are due, and makes their requests conditional.
 *
 * in     `Project`
 * out    those that are due, with `if-none-match` and `if-modified-since` where the catalog knows them; in order
 * holds  as {@link BatchTransform}
 * fails  with a `CatalogError`
 *
 * Emits `'unchanged'` (project) for each that need not be fetched: its serial stands still, or an unfinished
 * run with the same options settled it.
 */
import type { KnownProject } from '../lib/catalog/known.js'
import type { Run } from '../lib/catalog/run.js'
import type { Project } from '../lib/pypi/package.js'
import { BatchTransform, type BatchTransformOptions } from './batch-transform.js'

export interface ProjectLookupOptions extends BatchTransformOptions {
  /** From `Catalog.beginRun`. */
  readonly run: Run
}

export class ProjectLookup extends BatchTransform<Project, KnownProject> {
  readonly #run: Run

  constructor({ run, ...options }: ProjectLookupOptions) {
    super(options)
    this.#run = run
  }

  protected override async _batch(projects: readonly Project[]): Promise<KnownProject[]> {
    const found = await this.#run.lookupProjects(projects)
    const due: KnownProject[] = []
    for (let at = 0; at < projects.length; at++) {
      const project = found[at]
      if (project === undefined) this.emit('unchanged', projects[at])
      else due.push(project)
    }
    return due
  }
}
