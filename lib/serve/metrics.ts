/**
 * What the server counts, for Prometheus.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What a route is counted as. */
export type RouteKind = 'listing' | 'project' | 'legacy' | 'file' | 'page' | 'status' | 'other'

/** Where the bytes of a file came from: `shared` is a download that another client began. */
export type FileOrigin = 'store' | 'upstream' | 'shared'

export interface MetricsOptions {
  /** Pages that were at hand, and pages that were made. */
  readonly lookups: () => { readonly hits: number; readonly misses: number }
  /** Downloads under way. */
  readonly inFlight: () => number
}

/** From a page out of memory to a wheel of some hundred megabytes. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export class Metrics {
  readonly registry = new Registry()
  readonly #requests: Counter<'kind' | 'status'>
  readonly #seconds: Histogram<'kind'>
  readonly #bytes: Counter<'kind'>
  readonly #files: Counter<'origin'>
  readonly #upstreamBytes: Counter

  constructor({ lookups, inFlight }: MetricsOptions) {
    const registers = [this.registry]
    this.#requests = new Counter({
      registers,
      name: 'millrace_http_requests_total',
      help: 'Requests answered, by what they asked for and by status',
      labelNames: ['kind', 'status']
    })
    this.#seconds = new Histogram({
      registers,
      name: 'millrace_http_request_duration_seconds',
      help: 'Time from a request to the end of its answer, by what it asked for',
      labelNames: ['kind'],
      buckets: SECONDS
    })
    this.#bytes = new Counter({
      registers,
      name: 'millrace_http_sent_bytes_total',
      help: 'Bytes of answers, headers included, by what was asked for',
      labelNames: ['kind']
    })
    this.#files = new Counter({
      registers,
      name: 'millrace_files_total',
      help: 'Files sent, by where they came from: the store, upstream, or a download that another client began',
      labelNames: ['origin']
    })
    this.#upstreamBytes = new Counter({
      registers,
      name: 'millrace_upstream_bytes_total',
      help: 'Bytes of files fetched from upstream'
    })
    new Counter({
      registers,
      name: 'millrace_page_lookups_total',
      help: 'Pages of projects that were at hand, and that had to be made',
      labelNames: ['result'],
      collect() {
        const { hits, misses } = lookups()
        this.reset()
        this.inc({ result: 'hit' }, hits)
        this.inc({ result: 'miss' }, misses)
      }
    })
    new Gauge({
      registers,
      name: 'millrace_downloads_in_flight',
      help: 'Files that are being fetched from upstream',
      collect() {
        this.set(inFlight())
      }
    })
  }

  /** Counts an answer. */
  answered(kind: RouteKind, status: number, seconds: number, bytes: number): void {
    this.#requests.inc({ kind, status })
    this.#seconds.observe({ kind }, seconds)
    this.#bytes.inc({ kind }, bytes)
  }

  /** Counts a file that is about to be sent. */
  file(origin: FileOrigin): void {
    this.#files.inc({ origin })
  }

  /** Counts bytes that came from upstream. */
  fetched(bytes: number): void {
    this.#upstreamBytes.inc(bytes)
  }
}
