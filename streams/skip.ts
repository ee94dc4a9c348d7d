/**
 * An item that a stage cannot use is a record, not a failure of the run: the stage emits `'skip'` and goes on.
 * As with `'error'`, silence is not an option: where nobody listens, the stage is destroyed with the error.
 */
import type { Readable } from 'node:stream'

/** What a stage that can skip items emits besides Node's own events. */
export interface SkipEvents<T> {
  skip: [item: T, error: Error]
}

/** Emits `'skip'`; with no listener, destroys `stage` with `error`. Returns whether the stage goes on. */
export function skip(stage: Readable, item: unknown, error: Error): boolean {
  if (stage.emit('skip', item, error)) return true
  stage.destroy(error)
  return false
}
