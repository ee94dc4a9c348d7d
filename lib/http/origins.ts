/**
 * Limits that hold for an origin as a whole: requests at once, requests a second, and a pause after the server
 * asked for fewer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { finite, integer } from '../options.js'

export interface OriginOptions {
  /** Requests in flight to one origin. Whole number of 1 or more. @defaultValue Infinity */
  readonly concurrencyPerOrigin?: number | undefined
  /** Requests started a second to one origin, evenly spaced. Above 0. @defaultValue Infinity */
  readonly requestsPerSecond?: number | undefined
}

interface OriginState {
  inFlight: number
  /** Earliest start of the next request, as `performance.now()` counts. */
  nextSlot: number
  pausedUntil: number
  /** Those that wait for one in flight to end, each of which hands its place on. */
  readonly queue: (() => void)[]
}

/** Origins remembered at once, before those that nothing is known of are forgotten: a document may name millions. */
const MAX_IDLE_ORIGINS = 1000

/** Shared by all downloads that should count as one client. */
export class Origins {
  readonly #concurrency: number
  readonly #intervalMs: number
  readonly #states = new Map<string, OriginState>()

  /** @throws {@link OptionError} */
  constructor({
    concurrencyPerOrigin = Number.POSITIVE_INFINITY,
    requestsPerSecond = Number.POSITIVE_INFINITY
  }: OriginOptions = {}) {
    if (concurrencyPerOrigin !== Number.POSITIVE_INFINITY)
      integer('concurrencyPerOrigin', concurrencyPerOrigin, 1)
    if (requestsPerSecond !== Number.POSITIVE_INFINITY) finite('requestsPerSecond', requestsPerSecond, 0.001)
    this.#concurrency = concurrencyPerOrigin
    this.#intervalMs = 1000 / requestsPerSecond
  }

  /** Origins remembered. */
  get size(): number {
    return this.#states.size
  }

  /**
   * Waits for its turn; gives `undefined` where there is nothing to wait for. Every `enter` that succeeded needs a
   * `leave`. Rejects when `signal` is aborted.
   */
  enter(origin: string, signal: AbortSignal): Promise<void> | undefined {
    const state = this.#state(origin)
    if (state.inFlight >= this.#concurrency) return this.#enterLater(origin, state, signal)
    state.inFlight++
    if (this.#intervalMs === 0 && state.pausedUntil === 0) return undefined
    return this.#pace(origin, state, signal)
  }

  leave(origin: string): void {
    const state = this.#state(origin)
    const next = state.queue.shift()
    if (next === undefined) state.inFlight--
    else next()
  }

  /** Starts no request to `origin` for `ms`; those in flight go on. */
  pause(origin: string, ms: number): void {
    const state = this.#state(origin)
    state.pausedUntil = Math.max(state.pausedUntil, performance.now() + ms)
  }

  async #enterLater(origin: string, state: OriginState, signal: AbortSignal): Promise<void> {
    await turn(state.queue, signal)
    await this.#pace(origin, state, signal)
  }

  async #pace(origin: string, state: OriginState, signal: AbortSignal): Promise<void> {
    try {
      if (this.#intervalMs > 0) {
        // Reserved before the wait, so that two that wait do not start together.
        const slot = Math.max(performance.now(), state.nextSlot)
        state.nextSlot = slot + this.#intervalMs
        await until(slot, signal)
      }
      // Asked again after each wait: another answer may have made the pause longer.
      while (state.pausedUntil > performance.now()) await until(state.pausedUntil, signal)
      state.pausedUntil = 0
    } catch (error) {
      this.leave(origin)
      throw error
    }
  }

  #state(origin: string): OriginState {
    let state = this.#states.get(origin)
    if (state === undefined) {
      if (this.#states.size >= MAX_IDLE_ORIGINS) this.#forget()
      state = { inFlight: 0, nextSlot: 0, pausedUntil: 0, queue: [] }
      this.#states.set(origin, state)
    }
    return state
  }

  #forget(): void {
    const now = performance.now()
    for (const [origin, { inFlight, nextSlot, pausedUntil }] of this.#states) {
      if (inFlight === 0 && nextSlot <= now && pausedUntil <= now) this.#states.delete(origin)
    }
  }
}

async function until(time: number, signal: AbortSignal): Promise<void> {
  const waitMs = time - performance.now()
  if (waitMs > 0) await sleep(waitMs, undefined, { signal })
}

/** Waits in a queue until called, or until `signal` is aborted. */
function turn(queue: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const go = () => {
      signal.removeEventListener('abort', stop)
      resolve()
    }
    const stop = () => {
      queue.splice(queue.indexOf(go), 1)
      reject(signal.reason)
    }
    queue.push(go)
    signal.addEventListener('abort', stop, { once: true })
  })
}
