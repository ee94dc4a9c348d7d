/**
 * Makes one repository version of all packages saved in a run, all or nothing.
 *
 * in     saved packages
 * out    nothing; when input has ended, `result` says what the version changed
 * holds  no more than `highWaterMark` objects
 * fails  with a `CatalogError`, with `strict` with a `RemovalsError`; destroyed before its end, it leaves the
 *        repository as it was; destroyed while it commits, it closes when that is done
 */
import { addAbortSignal, Writable } from 'node:stream'
import type { KnownPackage } from '../lib/catalog/known.js'
import type { Run } from '../lib/catalog/run.js'
import type { Committed } from '../lib/catalog/versions.js'
import { finite, integer } from '../lib/options.js'

export interface VersionWriterOptions {
  /** From `Catalog.beginRun`, which also says whether what upstream no longer has is removed. */
  readonly run: Run
  /**
   * Whether the projects that passed the run's `ProjectLookup` are all that upstream has. If so, and if the run
   * is a mirror, packages of others are removed. A function is asked when input has ended. @defaultValue false
   */
  readonly completeListing?: boolean | (() => boolean) | undefined
  /**
   * Largest share of the repository's packages, from 0 to 1, that a mirror removes because their projects are gone;
   * if more are, it removes nothing and `result.kept` says so. Up to five projects may always go, if any others are
   * left. @defaultValue 0.1: in no week has a tenth of pypi.org been taken down
   */
  readonly maxRemovals?: number | undefined
  /** Fail, and make no version, where `maxRemovals` keeps what is gone. @defaultValue false */
  readonly strict?: boolean | undefined
  /** Objects buffered. Whole number of 1 or more. @defaultValue 16 (Node's, for objects) */
  readonly highWaterMark?: number | undefined
  /** Destroys the stream when aborted. */
  readonly signal?: AbortSignal | undefined
}

export class VersionWriter extends Writable {
  readonly #run: Run
  readonly #completeListing: boolean | (() => boolean)
  readonly #maxRemovals: number
  readonly #strict: boolean
  #result: Committed | undefined
  #committing: Promise<void> | undefined

  constructor({
    run,
    completeListing = false,
    maxRemovals = 0.1,
    strict = false,
    highWaterMark = 16,
    signal
  }: VersionWriterOptions) {
    finite('maxRemovals', maxRemovals, 0, 1)
    integer('highWaterMark', highWaterMark, 1)
    super({ objectMode: true, highWaterMark })
    this.#run = run
    this.#completeListing = completeListing
    this.#maxRemovals = maxRemovals
    this.#strict = strict
    // Not through `super`: a signal that is aborted already would destroy what is not made yet.
    if (signal !== undefined) addAbortSignal(signal, this)
  }

  /** The version that was made, or that stayed; `undefined` before `'finish'`. */
  get result(): Committed | undefined {
    return this.#result
  }

  override _write(_pkg: KnownPackage, _encoding: BufferEncoding, callback: () => void): void {
    callback()
  }

  override _final(callback: (error?: Error | null) => void): void {
    const listing = this.#completeListing
    this.#committing = this.#run
      .commit({
        completeListing: typeof listing === 'function' ? listing() : listing,
        maxRemovals: this.#maxRemovals,
        strict: this.#strict
      })
      .then(result => {
        this.#result = result
        callback()
      }, callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // A commit under way is not taken back, and whoever destroyed this is to know what became of it.
    if (this.#committing === undefined) callback(error)
    else this.#committing.finally(() => callback(error))
  }
}
