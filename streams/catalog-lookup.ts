/**
 * Asks the catalog what it knows of packages: one query a batch, and none for projects that are new.
 *
 * in     `Package`
 * out    the same packages, with `known` and `stored`; in order
 * holds  as {@link BatchTransform}
 * fails  with a `CatalogError`
 */
import type { KnownPackage } from '../lib/catalog/known.js'
import type { Run } from '../lib/catalog/run.js'
import type { Package } from '../lib/pypi/package.js'
import { BatchTransform, type BatchTransformOptions } from './batch-transform.js'

export interface CatalogLookupOptions extends BatchTransformOptions {
  /** From `Catalog.beginRun`. */
  readonly run: Run
}

export class CatalogLookup extends BatchTransform<Package, KnownPackage> {
  readonly #run: Run

  constructor({ run, ...options }: CatalogLookupOptions) {
    super(options)
    this.#run = run
  }

  // Held for a batch, they would be what the garbage collector copies most often.
  protected override _pass(pkg: Package): KnownPackage | undefined {
    return this.#run.mayKnow(pkg) ? undefined : pkg
  }

  protected override async _batch(packages: readonly Package[]): Promise<readonly KnownPackage[]> {
    return await this.#run.lookupPackages(packages)
  }
}
