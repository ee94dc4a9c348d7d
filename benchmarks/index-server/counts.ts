/**
 * What clients did: how many requests, of which kind, how many at once, how many bytes, when.
 */
import type { IncomingHttpHeaders } from 'node:http'

/** What a request was for, as far as its path tells. */
export type RequestKind = 'listing' | 'project' | 'legacy' | 'file' | 'metadata' | 'other'

/** One request, while it is answered and after. */
export interface RecordedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly kind: RequestKind
  readonly headers: IncomingHttpHeaders
  /** Ms since the server started. */
  readonly startedMs: number
  /** Ms since the server started, when the last byte was handed over; `undefined` while it is answered. */
  endedMs: number | undefined
  /** 0 when none was sent. */
  status: number
  /** Bytes of the body as sent. */
  bytes: number
  /** The kind of the fault it met. */
  fault: string | undefined
}

/** Counts since the start or the last reset. */
export interface IndexStats {
  readonly requests: number
  readonly byKind: Readonly<Record<RequestKind, number>>
  /** Answers by status; requests without an answer under `0`. */
  readonly byStatus: Readonly<Record<string, number>>
  readonly faults: number
  /** Requests received whose answer is not yet handed over whole. */
  readonly inFlight: number
  readonly peakInFlight: number
  readonly connections: number
  readonly peakConnections: number
  /** Bytes of bodies, as sent. */
  readonly bytes: number
  /** Ms since the server started. */
  readonly firstMs: number | undefined
  readonly lastMs: number | undefined
}

/** Requests kept at most. */
const maxRecorded = 100_000

export class Counts {
  readonly #origin = performance.now()
  readonly #keep: boolean
  #byKind = emptyKinds()
  #byStatus: Record<string, number> = {}
  #requests: RecordedRequest[] = []
  #total = 0
  #faults = 0
  #bytes = 0
  #peak = 0
  #peakConnections = 0
  #firstMs: number | undefined
  #lastMs: number | undefined
  inFlight = 0
  connections = 0

  /** @param keep whether to keep every request, for `requests()`; costs memory. */
  constructor(keep: boolean) {
    this.#keep = keep
  }

  /** To be called when a request arrives, before anything else is done with it. */
  begin(method: string, url: string, kind: RequestKind, headers: IncomingHttpHeaders): RecordedRequest {
    const startedMs = performance.now() - this.#origin
    const request = {
      method,
      url,
      kind,
      headers,
      startedMs,
      endedMs: undefined,
      status: 0,
      bytes: 0,
      fault: undefined
    }
    this.#total++
    this.#byKind[kind]++
    this.#firstMs ??= startedMs
    if (++this.inFlight > this.#peak) this.#peak = this.inFlight
    if (this.#keep && this.#requests.length < maxRecorded) this.#requests.push(request)
    return request
  }

  /** To be called once, when the last byte was handed to the system or the connection is gone. */
  end(request: RecordedRequest): void {
    this.inFlight--
    request.endedMs = this.#lastMs = performance.now() - this.#origin
    this.#bytes += request.bytes
    this.#byStatus[request.status] = (this.#byStatus[request.status] ?? 0) + 1
    if (request.fault !== undefined) this.#faults++
  }

  connected(): void {
    if (++this.connections > this.#peakConnections) this.#peakConnections = this.connections
  }

  /** The requests whose path and query contain a text or match, in order of arrival. */
  requests(match: string | RegExp = ''): RecordedRequest[] {
    return this.#requests.filter(({ url }) =>
      typeof match === 'string' ? url.includes(match) : match.test(url)
    )
  }

  stats(): IndexStats {
    return {
      requests: this.#total,
      byKind: { ...this.#byKind },
      byStatus: { ...this.#byStatus },
      faults: this.#faults,
      inFlight: this.inFlight,
      peakInFlight: this.#peak,
      connections: this.connections,
      peakConnections: this.#peakConnections,
      bytes: this.#bytes,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs
    }
  }

  /** Begins anew; what is in flight stays in flight. */
  reset(): void {
    this.#byKind = emptyKinds()
    this.#byStatus = {}
    this.#requests = []
    this.#total = this.#faults = this.#bytes = 0
    this.#peak = this.inFlight
    this.#peakConnections = this.connections
    this.#firstMs = this.#lastMs = undefined
  }
}

function emptyKinds(): Record<RequestKind, number> {
  return { listing: 0, project: 0, legacy: 0, file: 0, metadata: 0, other: 0 }
}
