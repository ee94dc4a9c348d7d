/**
 * Finds out how many requests should be in flight: more as long as that brings more, fewer where they only wait for each
 * other, and at once fewer where a server or the network says so.
 *
 * It begins low and doubles by rounds, as TCP does, until two rounds brought little more than the one before. From
 * then on it follows the gradient of latency: how the least that was seen compares with what there is now. A round in
 * which the limit did not hold anybody back, because the reader was the slower one, says nothing for more.
 *
 * @see https://netflixtechblog.medium.com/performance-under-load-3e6fa9a60581 (gradient limits)
 */

/** One request that came to its end. */
export interface LimitSample {
  /** When it did, in ms of a clock that does not go back. */
  readonly now: number
  /** How long it took, in ms. */
  readonly latencyMs: number
  /** Requests in flight at its end, itself included. */
  readonly inFlight: number
}

/** Where it begins, and how low it goes by latency alone: what a server with a core or two is busy with anyway. */
const INITIAL = 16
/** At least so many requests and so much time make a round: the latency of a few says little. */
const ROUND_REQUESTS = 16
const ROUND_MS = 20
/** Twice the requests in flight that bring less than this much more are too many. */
const GROWTH = 1.25
/** Rounds without growth after which doubling ends: one may have met a pause of the garbage collector. */
const PATIENCE = 2
/** Latency may be so many times the least before it counts as waiting. */
const TOLERANCE = 3
/** A part of the way to a new limit is gone in a round, so that one odd round does little. */
const SMOOTHING = 0.5
/**
 * A network's own latency may change. Where so few are in flight that they cannot be waiting for each other, the least
 * is taken for so much more each round; never elsewhere, or the limit would pull it up behind itself.
 */
const FORGETTING = 1.05
/** What is left of the limit after an error. */
const BACKOFF = 0.6

export class AdaptiveLimit {
  readonly #max: number
  #limit: number
  #doubling = true
  /** Rounds in a row that did not bring more. */
  #flat = 0
  #bestRate = 0
  #leastMs = Number.POSITIVE_INFINITY
  /** Of the round under way. */
  #startedAt: number | undefined
  #requests = 0
  #full = 0
  #latencyMs = 0
  #cutAt = Number.NEGATIVE_INFINITY
  /** Of the last round. */
  #lastMs = 0

  constructor({ max = 256 }: { readonly max?: number | undefined } = {}) {
    this.#max = max
    this.#limit = Math.min(INITIAL, max)
  }

  /** Requests that may be in flight now: a whole number of 1 or more. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** A request was answered well. */
  succeeded({ now, latencyMs, inFlight }: LimitSample): void {
    this.#startedAt ??= now - latencyMs
    this.#requests++
    this.#latencyMs += latencyMs
    if (inFlight >= this.limit) this.#full++
    const elapsedMs = now - this.#startedAt
    if (this.#requests < Math.max(ROUND_REQUESTS, this.limit) || elapsedMs < ROUND_MS) return
    this.#endRound((this.#requests * 1000) / elapsedMs)
    this.#begin(now)
  }

  /** A request met an error, or an answer (429, 503), that asks for fewer. `now` is as in {@link LimitSample}. */
  failed(now: number): void {
    // Those that were under way at the last cut fail for what it was made for.
    if (now - this.#cutAt < Math.max(ROUND_MS, this.#lastMs)) return
    this.#cutAt = now
    this.#doubling = false
    this.#limit = Math.max(1, this.#limit * BACKOFF)
    this.#begin(now)
  }

  #begin(now: number): void {
    this.#startedAt = now
    this.#requests = this.#full = this.#latencyMs = 0
  }

  #endRound(rate: number): void {
    const latencyMs = this.#latencyMs / this.#requests
    this.#lastMs = latencyMs
    const forgetting = this.#limit <= INITIAL ? FORGETTING : 1
    this.#leastMs = Math.min(this.#leastMs * forgetting, latencyMs)
    const isFull = this.#full * 2 > this.#requests
    if (this.#doubling) {
      if (isFull) this.#double(rate)
      return
    }
    const gradient = Math.min(1, (TOLERANCE * this.#leastMs) / latencyMs)
    // Room for a queue: without one, nothing would tell that more is to be had.
    const wanted = this.#limit * Math.max(0.5, gradient) + (isFull ? Math.sqrt(this.#limit) : 0)
    const next = this.#limit + (wanted - this.#limit) * SMOOTHING
    // After errors it may lie lower, and comes up from there.
    const least = Math.min(INITIAL, this.#limit)
    this.#limit = Math.min(this.#max, Math.max(least, next))
  }

  #double(rate: number): void {
    if (rate >= this.#bestRate * GROWTH) {
      this.#flat = 0
      this.#bestRate = rate
    } else if (++this.#flat >= PATIENCE) {
      this.#doubling = false
      return
    }
    this.#limit = Math.min(this.#max, this.#limit * 2)
  }
}
