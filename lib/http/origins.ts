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
  /** Shares `requestsPerSecond` and pauses with other processes. @defaultValue this process has them for itself */
  readonly shared?: SharedLimits | undefined
}

/** What several processes keep together of origins. */
export interface SharedLimits {
  /**
   * Reserves the next slots, one after the other, for one request each. Says in how many ms the first begins, and for
   * how long nothing is to start.
   */
  reserve(
    origin: string,
    slots: number,
    intervalMs: number
  ): Promise<{ readonly waitMs: number; readonly pausedMs: number }>
  /** Starts no request of any of them for `ms`. */
  pause(origin: string, ms: number): Promise<void>
  /** The origins at which nothing is to start, and for how long. */
  paused(): Promise<readonly { readonly origin: string; readonly ms: number }[]>
}

interface OriginState {
  inFlight: number
  /** Earliest start of the next request, as `performance.now()` counts. */
  nextSlot: number
  pausedUntil: number
  /** Those that wait for one in flight to end, each of which hands its place on. */
  readonly queue: (() => void)[]
  /** Of what is shared: slots reserved, how many wait for one, and what reserves more. */
  readonly slots: number[]
  waiting: number
  reserving: Promise<void> | undefined
}

/** Origins remembered at once, before those that nothing is known of are forgotten: a document may name millions. */
const MAX_IDLE_ORIGINS = 1000

/** What is reserved at once, in ms: what a process that dies leaves unused, and one question to the database. */
const RESERVED_MS = 250

/** A slot that was not used for so long, in ms, is past. */
const LATE_MS = 100

/** Shared by all downloads that should count as one client. */
export class Origins {
  readonly #concurrency: number
  readonly #intervalMs: number
  readonly #shared: SharedLimits | undefined
  readonly #states = new Map<string, OriginState>()

  /** @throws {@link OptionError} */
  constructor({
    concurrencyPerOrigin = Number.POSITIVE_INFINITY,
    requestsPerSecond = Number.POSITIVE_INFINITY,
    shared
  }: OriginOptions = {}) {
    if (concurrencyPerOrigin !== Number.POSITIVE_INFINITY)
      integer('concurrencyPerOrigin', concurrencyPerOrigin, 1)
    if (requestsPerSecond !== Number.POSITIVE_INFINITY) finite('requestsPerSecond', requestsPerSecond, 0.001)
    this.#concurrency = concurrencyPerOrigin
    this.#intervalMs = 1000 / requestsPerSecond
    this.#shared = shared
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
    // Where the others cannot be told, this process keeps to it all the same.
    this.#shared?.pause(origin, ms).catch(() => {})
  }

  /** Keeps to the pauses of other processes; to be called about once a second. */
  async heed(): Promise<void> {
    for (const { origin, ms } of (await this.#shared?.paused()) ?? []) {
      const state = this.#state(origin)
      state.pausedUntil = Math.max(state.pausedUntil, performance.now() + ms)
    }
  }

  async #enterLater(origin: string, state: OriginState, signal: AbortSignal): Promise<void> {
    await turn(state.queue, signal)
    await this.#pace(origin, state, signal)
  }

  async #pace(origin: string, state: OriginState, signal: AbortSignal): Promise<void> {
    try {
      if (this.#intervalMs > 0 && this.#shared !== undefined) {
        await waitUntil(await this.#sharedSlot(origin, state, this.#shared), signal)
      } else if (this.#intervalMs > 0) {
        // Reserved before the wait, so that two that wait do not start together.
        const slot = Math.max(performance.now(), state.nextSlot)
        state.nextSlot = slot + this.#intervalMs
        await waitUntil(slot, signal)
      }
      // Asked again after each wait: another answer may have made the pause longer.
      while (state.pausedUntil > performance.now()) await waitUntil(state.pausedUntil, signal)
      state.pausedUntil = 0
    } catch (error) {
      this.leave(origin)
      throw error
    }
  }

  /** A slot for one request; those that wait for one reserve together. */
  async #sharedSlot(origin: string, state: OriginState, shared: SharedLimits): Promise<number> {
    state.waiting++
    try {
      for (;;) {
        const slot = state.slots.shift()
        if (slot !== undefined && slot >= performance.now() - LATE_MS) return slot
        if (slot !== undefined) continue
        state.reserving ??= this.#reserve(origin, state, shared).finally(() => {
          state.reserving = undefined
        })
        await state.reserving
      }
    } finally {
      state.waiting--
    }
  }

  async #reserve(origin: string, state: OriginState, shared: SharedLimits): Promise<void> {
    const slots = Math.min(state.waiting, Math.max(1, Math.floor(RESERVED_MS / this.#intervalMs)))
    const { waitMs, pausedMs } = await shared.reserve(origin, slots, this.#intervalMs)
    const now = performance.now()
    for (let slot = 0; slot < slots; slot++) state.slots.push(now + waitMs + slot * this.#intervalMs)
    if (pausedMs > 0) state.pausedUntil = Math.max(state.pausedUntil, now + pausedMs)
  }

  #state(origin: string): OriginState {
    let state = this.#states.get(origin)
    if (state === undefined) {
      if (this.#states.size >= MAX_IDLE_ORIGINS) this.#forget()
      state = {
        ...{ inFlight: 0, nextSlot: 0, pausedUntil: 0, queue: [] },
        ...{ slots: [], waiting: 0, reserving: undefined }
      }
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

async function waitUntil(time: number, signal: AbortSignal): Promise<void> {
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
