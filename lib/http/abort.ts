/**
 * One listener for all that wait for the same signal: to add one to a signal and to take it off again costs as much as
 * to send a request.
 */

interface Waiting {
  readonly stops: Set<() => void>
  readonly listener: () => void
}

const waitingFor = new WeakMap<AbortSignal, Waiting>()

/** Calls `stop` when `signal` is aborted, unless {@link offAbort} comes first. */
export function onAbort(signal: AbortSignal, stop: () => void): void {
  let waiting = waitingFor.get(signal)
  if (waiting === undefined) {
    const stops = new Set<() => void>()
    const listener = () => {
      for (const stop of stops) stop()
    }
    waiting = { stops, listener }
    waitingFor.set(signal, waiting)
    signal.addEventListener('abort', listener)
  }
  waiting.stops.add(stop)
}

/** Takes back {@link onAbort}; after the last one nothing is left on the signal. */
export function offAbort(signal: AbortSignal, stop: () => void): void {
  const waiting = waitingFor.get(signal)
  if (waiting === undefined || !waiting.stops.delete(stop) || waiting.stops.size > 0) return
  signal.removeEventListener('abort', waiting.listener)
  waitingFor.delete(signal)
}
