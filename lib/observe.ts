/**
 * What goes on, for whoever embeds us: `diagnostics_channel` messages, and OpenTelemetry spans and metrics. Only the API
 * package of OpenTelemetry is here; without an SDK its calls do nothing. Where nobody listens, no message is made.
 *
 * The names are described in `docs/observability.md`.
 */
import { type Channel, channel } from 'node:diagnostics_channel'
import {
  type Attributes,
  type Counter,
  type Histogram,
  type MeterProvider,
  metrics,
  type Span,
  SpanStatusCode,
  trace
} from '@opentelemetry/api'
import type { DownloadError } from './errors.js'
import type { Downloaded } from './http/body.js'
import { redactUrl } from './http/redact.js'
import type { Failure, Report } from './report.js'

/** Name of the meter and the tracer. */
const NAME = 'millrace'

const channels = {
  downloadStart: channel('millrace:download:start'),
  downloadRetry: channel('millrace:download:retry'),
  downloadEnd: channel('millrace:download:end'),
  downloadError: channel('millrace:download:error'),
  concurrency: channel('millrace:download:concurrency'),
  project: channel('millrace:project'),
  skip: channel('millrace:skip'),
  version: channel('millrace:version'),
  syncStart: channel('millrace:sync:start'),
  syncEnd: channel('millrace:sync:end'),
  syncError: channel('millrace:sync:error')
}

interface Instruments {
  readonly downloads: Counter
  readonly retries: Counter
  readonly bytes: Counter
  readonly seconds: Histogram
  readonly packages: Counter
  readonly syncs: Counter
}

let made: { readonly provider: MeterProvider; readonly instruments: Instruments } | undefined

/** Made anew when an SDK comes after us. */
function instruments(): Instruments {
  const provider = metrics.getMeterProvider()
  if (made?.provider === provider) return made.instruments
  const meter = provider.getMeter(NAME)
  const found = {
    downloads: meter.createCounter('millrace.downloads', { description: 'Downloads that came to their end' }),
    retries: meter.createCounter('millrace.download.retries', { description: 'Requests made again' }),
    bytes: meter.createCounter('millrace.download.bytes', { unit: 'By', description: 'Bytes of bodies' }),
    seconds: meter.createHistogram('millrace.download.duration', { unit: 's' }),
    packages: meter.createCounter('millrace.packages', { description: 'Packages read from documents' }),
    syncs: meter.createCounter('millrace.syncs', { description: 'Syncs that came to their end' })
  }
  made = { provider, instruments: found }
  return found
}

function publish(to: Channel, message: () => object): void {
  if (to.hasSubscribers) to.publish(message())
}

/** Follows one download. */
export class DownloadWatch {
  readonly #url: string
  readonly #startedAt = performance.now()
  readonly #span: Span

  constructor(url: string) {
    this.#url = url
    this.#span = trace.getTracer(NAME).startSpan('millrace.download')
    if (this.#span.isRecording()) this.#span.setAttribute('url.full', redactUrl(url))
    publish(channels.downloadStart, () => ({ url: redactUrl(url) }))
  }

  retry(error: DownloadError, delayMs: number): void {
    instruments().retries.add(1, { code: error.code })
    if (this.#span.isRecording()) this.#span.addEvent('retry', { code: error.code, delayMs })
    publish(channels.downloadRetry, () => ({ url: redactUrl(this.#url), error, delayMs }))
  }

  end({ status, attempts, body: { size } }: Downloaded<unknown>): void {
    const durationMs = this.#finish({ status })
    instruments().bytes.add(size)
    this.#span.setAttributes({ 'http.response.status_code': status, 'millrace.attempts': attempts })
    this.#span.end()
    publish(channels.downloadEnd, () => ({
      url: redactUrl(this.#url),
      status,
      bytes: size,
      attempts,
      durationMs
    }))
  }

  fail(error: Error & { readonly code?: unknown }): void {
    const durationMs = this.#finish({ code: typeof error.code === 'string' ? error.code : error.name })
    failed(this.#span, error)
    publish(channels.downloadError, () => ({ url: redactUrl(this.#url), error, durationMs }))
  }

  #finish(attributes: Attributes): number {
    const durationMs = performance.now() - this.#startedAt
    const { downloads, seconds } = instruments()
    downloads.add(1, attributes)
    seconds.record(durationMs / 1000)
    return durationMs
  }
}

/** A downloader that finds its concurrency by itself has changed it. */
export function concurrencyChanged(concurrency: number): void {
  publish(channels.concurrency, () => ({ concurrency }))
}

/** A document was read to its end. */
export function projectRead(document: {
  readonly project: string
  readonly packages: number
  readonly skipped: number
  readonly unchanged: boolean
}): void {
  instruments().packages.add(document.packages)
  publish(channels.project, () => ({ ...document }))
}

/** Something could not be had or used. */
export function itemSkipped(failure: Failure): void {
  publish(channels.skip, () => failure)
}

/** Follows a sync from its beginning to its end. */
export async function watchSync(report: Report, work: () => Promise<void>): Promise<void> {
  const { repository } = report
  publish(channels.syncStart, () => ({ repository }))
  await trace.getTracer(NAME).startActiveSpan('millrace.sync', { attributes: { repository } }, async span => {
    try {
      await work()
      instruments().syncs.add(1, { outcome: report.failures.length === 0 ? 'done' : 'incomplete' })
      const { version, changed, packages } = report
      span.setAttributes({ version, changed, added: packages.added, removed: packages.removed })
      span.end()
      if (changed)
        publish(channels.version, () => ({
          ...{ repository, version },
          ...{ added: packages.added, removed: packages.removed, present: packages.present }
        }))
      publish(channels.syncEnd, () => ({ repository, report }))
    } catch (error) {
      instruments().syncs.add(1, { outcome: 'failed' })
      failed(span, error as Error)
      publish(channels.syncError, () => ({ repository, error }))
      throw error
    }
  })
}

function failed(span: Span, error: Error): void {
  span.recordException(error)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
  span.end()
}
