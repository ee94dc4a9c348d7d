/**
 * Runs one asynchronous call for many objects.
 *
 * in     any object
 * out    what the calls resolve with, in order
 * holds  at most `3 * batchSize + 2 * (highWaterMark - 1)`: a batch that is collected, one in its call or done ahead of
 *        the reader, one of which the reader has taken a part, and what Node buffers before and after
 * fails  with the first error of a call
 *
 * A batch leaves when it is full, when input ends, or `maxWaitMs` after its first object, so that a slow
 * source strands nothing; but not while a whole batch waits for the reader. So the next one is there when the reader
 * comes to its end, and another is collected meanwhile. An object that needs no call goes on at once, unless others are
 * before it.
 */
import { addAbortSignal, Duplex } from 'node:stream'
import { integer } from '../lib/options.js'

export interface BatchTransformOptions {
  /** Objects a batch. Whole number of 1 or more. @defaultValue 480 (the rows of one insert) */
  readonly batchSize?: number | undefined
  /** How long the first object of a batch waits for others, in ms. Whole number of 0 or more. @defaultValue 100 */
  readonly maxWaitMs?: number | undefined
  /** Objects buffered on each side. Whole number of 1 or more. @defaultValue 16 (Node's, for objects) */
  readonly highWaterMark?: number | undefined
  /** Destroys the stream when aborted. */
  readonly signal?: AbortSignal | undefined
}

type Callback = (error?: Error | null) => void

/** The longest delay that Node's timers know. */
const MAX_DELAY_MS = 2 ** 31 - 1

export abstract class BatchTransform<In, Out> extends Duplex {
  readonly #batchSize: number
  readonly #maxWaitMs: number
  #batch: In[] = []
  /** The callback of the object that filled the batch; Node writes no other until then. */
  #full: Callback | undefined
  /** The callback of an object that passed and filled the reader's buffer; the same holds of it. */
  #held: Callback | undefined
  /** Set while a batch collects; fired, it is `due`. */
  #timer: NodeJS.Timeout | undefined
  #due = false
  #calling = false
  /** What calls gave and the reader has not taken; how much of the first was pushed. */
  #ready: (readonly Out[])[] = []
  #pushed = 0
  #passed = 0
  /** False from a `push` that filled the reader's buffer until Node asks for more. */
  #wanted = true
  #ending: Callback | undefined
  #closing: (() => void) | undefined
  readonly #controller = new AbortController()

  constructor({ batchSize = 480, maxWaitMs = 100, highWaterMark = 16, signal }: BatchTransformOptions = {}) {
    integer('batchSize', batchSize, 1)
    integer('maxWaitMs', maxWaitMs, 0, MAX_DELAY_MS)
    integer('highWaterMark', highWaterMark, 1)
    super({ objectMode: true, highWaterMark })
    this.#batchSize = batchSize
    this.#maxWaitMs = maxWaitMs
    // Not through `super`: a signal that is aborted already would destroy what is not made yet.
    if (signal !== undefined) addAbortSignal(signal, this)
  }

  /** Objects that calls are over for. */
  get passed(): number {
    return this.#passed
  }

  /** Makes the call for one batch, never empty. `signal` is aborted when the stream is destroyed. */
  protected abstract _batch(items: readonly In[], signal: AbortSignal): Promise<readonly Out[]>

  /** What becomes of an object that needs no call; `undefined` for one that does. Those before it may still wait for theirs. */
  protected _pass(_item: In): Out | undefined {
    return undefined
  }

  /** Whether a batch is full for another reason than its count, such as its bytes. Called as each object comes. */
  protected _fills(_item: In): boolean {
    return false
  }

  /** Releases objects that no call will be made for, since the stream is destroyed. */
  protected async _discard(_items: readonly In[]): Promise<void> {}

  override _write(item: In, _encoding: BufferEncoding, callback: Callback): void {
    if (this.#batch.length === 0 && !this.#calling && this.#ready.length === 0) {
      const passing = this._pass(item)
      if (passing !== undefined) {
        this.#passed++
        this.#wanted = this.push(passing)
        if (this.#wanted) callback()
        else this.#held = callback
        return
      }
    }
    this.#batch.push(item)
    if (this.#batch.length >= this.#batchSize || this._fills(item)) {
      this.#full = callback
      this.#advance()
      return
    }
    this.#timer ??= setTimeout(() => {
      this.#due = true
      this.#advance()
    }, this.#maxWaitMs)
    callback()
  }

  override _read(): void {
    this.#wanted = true
    const held = this.#held
    this.#held = undefined
    held?.()
    this.#advance()
  }

  override _final(callback: Callback): void {
    this.#ending = callback
    this.#advance()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#controller.abort(error ?? undefined)
    clearTimeout(this.#timer)
    this.#full = undefined
    this.#held = undefined
    const left = this.#batch
    this.#batch = []
    this.#closing = () => {
      this._discard(left).then(
        () => callback(error),
        failure => callback(error ?? failure)
      )
    }
    this.#close()
  }

  /** Pushes what is ready, then starts the next call if there is one to make, or ends. */
  #advance(): void {
    for (let first = this.#ready[0]; this.#wanted && first !== undefined; first = this.#ready[0]) {
      const result = first[this.#pushed++]
      if (this.#pushed === first.length) {
        this.#ready.shift()
        this.#pushed = 0
      }
      // A listener may write, end or destroy meanwhile, and come here again.
      this.#wanted = this.push(result)
      if (this.destroyed) return
    }
    if (this.destroyed || this.#calling) return
    const ahead = this.#ready.length
    if (this.#batch.length === 0) {
      if (this.#ending !== undefined && ahead === 0) this.#end(this.#ending)
    } else if (ahead === 0 || (ahead === 1 && this.#pushed > 0)) {
      if (this.#full !== undefined || this.#due || this.#ending !== undefined) this.#start()
    }
  }

  #start(): void {
    const items = this.#batch
    const callback = this.#full
    this.#batch = []
    this.#full = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#due = false
    this.#calling = true
    this._batch(items, this.#controller.signal).then(
      results => {
        this.#calling = false
        this.#passed += items.length
        if (results.length > 0) this.#ready.push(results)
        this.#advance()
        this.#close()
      },
      error => {
        this.#calling = false
        this.destroy(error instanceof Error ? error : new Error(String(error)))
        this.#close()
      }
    )
    callback?.()
  }

  #end(callback: Callback): void {
    this.#ending = undefined
    this.push(null)
    callback()
  }

  /** Ends the destruction, after the call that was under way. */
  #close(): void {
    if (this.#calling || this.#closing === undefined) return
    const close = this.#closing
    this.#closing = undefined
    close()
  }
}
