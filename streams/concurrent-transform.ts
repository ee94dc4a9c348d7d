/**
 * Runs up to `concurrency` asynchronous calls at once, one for each object written.
 *
 * in     any object
 * out    what the calls resolve with, in the order in which they finish; `undefined` and `null` give nothing
 * holds  at most `highWaterMark` unstarted, `concurrency` in flight, and
 *        `concurrency + highWaterMark - 1` in flight or unread together
 * fails  with the first error of a call; the other calls are aborted and waited for
 *
 * A Transform would look at its reader only while a write callback runs; this Duplex starts a call only
 * while fewer than `concurrency` run *and* the reader wants more.
 */
import { setMaxListeners } from 'node:events'
import { addAbortSignal, Duplex } from 'node:stream'
import { integer } from '../lib/options.js'

export interface ConcurrentTransformOptions {
  /** Calls in flight at once. Whole number of 1 or more. @defaultValue 16 */
  readonly concurrency?: number | undefined
  /** Objects buffered on each side. Whole number of 1 or more. @defaultValue 16 (Node's, for objects) */
  readonly highWaterMark?: number | undefined
  /** Destroys the stream when aborted. */
  readonly signal?: AbortSignal | undefined
}

type Callback = (error?: Error | null) => void

export abstract class ConcurrentTransform<In, Out> extends Duplex {
  #concurrency: number
  #inFlight = 0
  #passed = 0
  /** False from a `push` that filled the reader's buffer until Node asks for more. */
  #wanted = true
  /** The written object that waits for its turn; Node writes no other until its callback. */
  #waiting: { item: In; callback: Callback } | undefined
  #ending: Callback | undefined
  #closing: (() => void) | undefined
  readonly #controller = new AbortController()

  constructor({ concurrency = 16, highWaterMark = 16, signal }: ConcurrentTransformOptions = {}) {
    integer('concurrency', concurrency, 1)
    integer('highWaterMark', highWaterMark, 1)
    super({ objectMode: true, highWaterMark })
    this.#concurrency = concurrency
    // Every call in flight listens to the one signal; Node would warn at the eleventh.
    setMaxListeners(0, this.#controller.signal)
    // Not through `super`: a signal that is aborted already would destroy what is not made yet.
    if (signal !== undefined) addAbortSignal(signal, this)
  }

  /** Calls that may be in flight at once. A change holds from the next call on. */
  get concurrency(): number {
    return this.#concurrency
  }

  set concurrency(value: number) {
    this.#concurrency = integer('concurrency', value, 1)
    this.#advance()
  }

  /** Calls in flight now. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Objects that calls are over for. */
  get passed(): number {
    return this.#passed
  }

  /** Makes the call for one object. `signal` is aborted when the stream is destroyed. */
  protected abstract _call(item: In, signal: AbortSignal): Promise<Out | undefined | null>

  /** Whether a further limit, such as one on bytes, lets the call for `item` start now. */
  protected _admits(_item: In): boolean {
    return true
  }

  /** Releases what a result holds that nobody will read, since the stream was destroyed. */
  protected _discard(_result: Out): Promise<void> | void {}

  override _write(item: In, _encoding: BufferEncoding, callback: Callback): void {
    this.#waiting = { item, callback }
    this.#advance()
  }

  override _read(): void {
    this.#wanted = true
    this.#advance()
  }

  override _final(callback: Callback): void {
    this.#ending = callback
    this.#finish()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#controller.abort(error ?? undefined)
    this.#waiting = undefined
    this.#closing = () => callback(error)
    // For what was pushed and not read there is no other way out; no listener is to see it any more.
    if (this.readableLength > 0) this.removeAllListeners('data')
    // With a number, since a plain `read` of the last object would also emit 'end'.
    while (this.readableLength > 0) this.#release(this.read(1))
    this.#finish()
  }

  /** Starts the waiting call if both limits let it; its callback may write the next object at once. */
  #advance(): void {
    const waiting = this.#waiting
    if (waiting === undefined || this.destroyed) return
    if (!this.#wanted || this.#inFlight >= this.#concurrency) return
    let call: Promise<Out | undefined | null>
    try {
      if (!this._admits(waiting.item)) return
      this.#waiting = undefined
      call = this._call(waiting.item, this.#controller.signal)
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#inFlight++
    call.then(
      result => this.#settle(result),
      error => {
        this.#inFlight--
        this.#fail(error)
      }
    )
    waiting.callback()
  }

  #settle(result: Out | undefined | null): void {
    if (result !== undefined && result !== null) {
      if (this.destroyed) this.#release(result)
      // The push comes before the next call: it tells whether the reader wants one.
      else this.#wanted = this.push(result)
    }
    this.#inFlight--
    this.#passed++
    this.#advance()
    this.#finish()
  }

  #fail(error: unknown): void {
    this.destroy(error instanceof Error ? error : new Error(String(error)))
    this.#finish()
  }

  /** The stream is not closed before this is done. */
  #release(result: Out): void {
    const released = this._discard(result)
    if (released === undefined) return
    this.#inFlight++
    const done = () => {
      this.#inFlight--
      this.#finish()
    }
    released.then(done, done)
  }

  #finish(): void {
    if (this.#inFlight > 0) return
    if (this.#closing !== undefined) {
      const close = this.#closing
      this.#closing = undefined
      close()
    } else if (this.#ending !== undefined && !this.destroyed) {
      const end = this.#ending
      this.#ending = undefined
      this.push(null)
      end()
    }
  }
}
