/**
 * Lets through the packages that all filters leave, and says of the others which one took them out.
 *
 * in     packages; with `keepLatest`, those of one project one after the other
 * out    the same packages or nothing, in the order in which they came
 * holds  `highWaterMark` on each side; with `keepLatest` also the files of that many versions of one project,
 *        which go out together when the next project begins or the input ends
 * fails  never by what a package says; emits `'drop'` (package, name of the option) for each that is taken out
 */
import { addAbortSignal, Transform, type TransformCallback } from 'node:stream'
import type { FilterSink } from '../lib/filter/filter.js'
import { createFilter, type FilterChain, type FilterOptions } from '../lib/filter/index.js'
import { integer } from '../lib/options.js'
import type { Package } from '../lib/pypi/package.js'

export interface PackageFilterOptions extends FilterOptions {
  /** Objects buffered on each side. Whole number of 1 or more. @defaultValue 16 (Node's, for objects) */
  readonly highWaterMark?: number | undefined
  /** Destroys the stream when aborted. */
  readonly signal?: AbortSignal | undefined
}

export class PackageFilter extends Transform {
  readonly #filter: FilterChain
  readonly #sink: FilterSink = {
    keep: pkg => this.push(pkg),
    drop: (pkg, filter) => this.emit('drop', pkg, filter)
  }

  /** @throws {@link OptionError} {@link RequirementError} */
  constructor({ highWaterMark = 16, signal, ...options }: PackageFilterOptions = {}) {
    integer('highWaterMark', highWaterMark, 1)
    const filter = createFilter(options)
    super({ objectMode: true, highWaterMark })
    this.#filter = filter
    // Not through `super`: a signal that is aborted already would destroy what is not made yet.
    if (signal !== undefined) addAbortSignal(signal, this)
  }

  override _transform(pkg: Package, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.#filter.add(pkg, this.#sink)
    } catch (error) {
      callback(error as Error)
      return
    }
    callback()
  }

  override _flush(callback: TransformCallback): void {
    this.#filter.end(this.#sink)
    callback()
  }
}
