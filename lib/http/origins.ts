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
  readonly queue: (() => void)[]
}

/** Shared by all downloads that should count as one client. */
export class Origins {
  readonly #concurrency: number
  readonly #intervalMs: number
  readonly #states = new Map<string, OriginState>()

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

  /** Waits for its turn. Every `enter` that resolved needs a `leave`. Rejects when `signal` is aborted. */
  async enter(origin: string, signal: AbortSignal): Promise<void> {
    const state = this.#state(origin)
    while (state.inFlight >= this.#concurrency) await turn(state.queue, signal)
    state.inFlight++
    try {
      if (this.#intervalMs > 0) {
        // Reserved before the wait, so that two that wait do not start together.
        const slot = Math.max(performance.now(), state.nextSlot)
        state.nextSlot = slot + this.#intervalMs
        await until(slot, signal)
      }
      // Asked again after each wait: another answer may have made the pause longer.
      while (state.pausedUntil > performance.now()) await until(state.pausedUntil, signal)
    } catch (error) {
      this.leave(origin)
      throw error
    }
  }

  leave(origin: string): void {
    const state = this.#state(origin)
    state.inFlight--
    state.queue.shift()?.()
  }

  /** Starts no request to `origin` for `ms`; those in flight go on. */
  pause(origin: string, ms: number): void {
    const state = this.#state(origin)
    state.pausedUntil = Math.max(state.pausedUntil, performance.now() + ms)
  }

  #state(origin: string): OriginState {
    let state = this.#states.get(origin)
    if (state === undefined) {
      state = { inFlight: 0, nextSlot: 0, pausedUntil: 0, queue: [] }
      this.#states.set(origin, state)
    }
    return state
  }
}

async function until(time: number, signal: AbortSignal): Promise<void> {
  const waitMs = time - performance.now()
  if (waitMs > 0) await sleep(waitMs, undefined, { signal })
}

/** Waits in a queue until called, or until `signal` is aborted. */
function turn(queue: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
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
