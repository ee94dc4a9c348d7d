/**
 * One request and its answer, on undici's dispatcher: the body goes to a sink as it comes, with back-pressure.
 *
 * The layer below undici's `request`: no readable stream is made for a body that a sink takes anyway.
 */
import type { Dispatcher } from 'undici'
import { offAbort, onAbort } from './abort.js'

export type Headers = Readonly<Record<string, string | string[] | undefined>>

/** Takes the bytes of one body. What it throws ends the request. */
export interface Sink {
  /** Takes a chunk; `false` asks to wait for {@link drained} before the next. */
  write(chunk: Buffer): boolean
  drained(): Promise<void>
  /** The last chunk was written. */
  end(): Promise<void> | void
  /** No more will come, and nothing that came is wanted. */
  destroy(): void
}

export interface ExchangeOptions {
  readonly dispatcher: Dispatcher
  readonly headers: Readonly<Record<string, string>>
  /** Time until the headers are there, in ms. */
  readonly headersTimeout: number
  /** Time between two chunks, in ms. */
  readonly bodyTimeout: number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
}

/**
 * A body that nobody wants is read up to here and for so long, so that its connection can be used again; then that
 * is closed.
 */
const MAX_DUMPED_BYTES = 64 * 1024
const MAX_DUMP_MS = 5000

/**
 * Sends a GET request and resolves when `sink` has the whole body. `accept` sees status and headers first and
 * gives the sink, or `undefined` where the body is of no interest.
 * @throws undici's and the system's errors as they are, what `accept` and the sink throw, and `signal.reason`
 */
export function exchange(
  url: URL,
  { dispatcher, headers, headersTimeout, bodyTimeout }: ExchangeOptions,
  accept: (status: number, headers: Headers) => Sink | undefined,
  signal: AbortSignal
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let answer: Answer | undefined
    let sink: Sink | undefined
    let dumped = 0
    let dumpedSince = 0

    const aborted = () => stop(signal.reason)
    const succeed = () => {
      offAbort(signal, aborted)
      resolve(answer as Answer)
    }
    const fail = (reason: unknown) => {
      offAbort(signal, aborted)
      sink?.destroy()
      reject(reason)
    }
    /** Ends the request. One that waits for a connection has no controller yet, and is ended as it starts. */
    const stop = (reason: unknown) => {
      fail(reason)
      controller?.abort(reason as Error)
    }
    const leaveBody = () => {
      succeed()
      controller?.abort(new Error('The body is of no interest'))
    }
    if (signal.aborted) return reject(signal.reason)
    onAbort(signal, aborted)

    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers,
        headersTimeout,
        bodyTimeout
      },
      {
        onRequestStart(started) {
          controller = started
          if (signal.aborted) started.abort(signal.reason)
        },
        onResponseStart(_controller, status, received) {
          // Informational answers (RFC 9110, section 15.2) come before the real one.
          if (status < 200) return
          answer = { status, headers: received as Headers }
          try {
            sink = accept(status, answer.headers)
          } catch (error) {
            return stop(error)
          }
          if (sink !== undefined) return
          const length = Number(received['content-length'])
          // A 304 may tell the length of a body that it has not (RFC 9110, section 8.6); undici misses that body.
          if (status === 304 && length > 0) succeed()
          else if (length > MAX_DUMPED_BYTES) leaveBody()
          dumpedSince = performance.now()
        },
        onResponseData(current, chunk) {
          if (sink === undefined) {
            dumped += chunk.length
            if (dumped > MAX_DUMPED_BYTES || performance.now() - dumpedSince > MAX_DUMP_MS) leaveBody()
            return
          }
          try {
            if (sink.write(chunk)) return
            current.pause()
            sink.drained().then(() => current.resume(), stop)
          } catch (error) {
            stop(error)
          }
        },
        onResponseEnd() {
          try {
            const ended = sink?.end()
            if (ended === undefined) succeed()
            else ended.then(succeed, stop)
          } catch (error) {
            fail(error)
          }
        },
        onResponseError(_controller, error) {
          fail(error)
        }
      }
    )
  })
}
