/**
 * Shows on stderr what a sync is doing: a table that renews itself on a terminal, plain lines elsewhere.
 */
import type { Duplex, Readable, Writable } from 'node:stream'
import { createLogUpdate } from 'log-update'
import prettyBytes from 'pretty-bytes'
import type { Report } from '../lib/report.js'
import { Downloader, MetadataParser, PackageFilter, PackageSaver, ProjectSource } from '../streams/index.js'
import { columns } from './table.js'

export const PROGRESS_KINDS = ['auto', 'bar', 'log', 'none'] as const

type Stage = Readable | Writable | Duplex

/** Between two renewals of the table, in ms, and between two lines. */
const BAR_INTERVAL_MS = 200
const LOG_INTERVAL_MS = 10_000

/** Rates are over the last so many ms, so that they follow what happens. */
const RATE_WINDOW_MS = 5000

export interface Progress {
  /** Draws the last state, and draws no more. */
  stop(): void
}

/** Starts to show the stages of a sync and its report, which grows meanwhile. */
export function showProgress(
  kind: (typeof PROGRESS_KINDS)[number],
  stages: readonly Stage[],
  report: Report,
  stderr: NodeJS.WriteStream
): Progress {
  const meters = stages.map(stage => new Meter(stage, doneOf(stage, stages, report)))
  return renew(
    kind,
    elapsedMs => table(meters, report, elapsedMs),
    elapsedMs => logLine(report, stages, elapsedMs),
    stderr
  )
}

/** Shows what `draw` says on a terminal, renewed, or what `line` says elsewhere, from time to time. */
export function renew(
  kind: (typeof PROGRESS_KINDS)[number],
  draw: (elapsedMs: number) => string,
  line: (elapsedMs: number) => string,
  stderr: NodeJS.WriteStream
): Progress {
  if (kind === 'auto') kind = stderr.isTTY ? 'bar' : 'log'
  if (kind === 'none') return { stop() {} }
  const startedAt = performance.now()
  if (kind === 'log') {
    const timer = setInterval(() => stderr.write(`${line(performance.now() - startedAt)}\n`), LOG_INTERVAL_MS)
    return { stop: () => clearInterval(timer) }
  }
  const update = createLogUpdate(stderr)
  const show = () => update(draw(performance.now() - startedAt))
  const timer = setInterval(show, BAR_INTERVAL_MS)
  return {
    stop() {
      clearInterval(timer)
      show()
      update.done()
    }
  }
}

/** How many objects a stage has done with; `undefined` for a stage that is not ours. */
function doneOf(stage: Stage, stages: readonly Stage[], report: Report): (() => number) | undefined {
  const { projects, packages, files } = report
  if (stage instanceof ProjectSource) return () => projects.listed
  if (stage instanceof Downloader) {
    return stage === stages.find(other => other instanceof Downloader)
      ? () => projects.fetched + projects.missing + projects.failed
      : () => files.downloaded + files.reused
  }
  if (stage instanceof MetadataParser) return () => packages.seen
  if (stage instanceof PackageFilter) return () => packages.kept
  if (stage instanceof PackageSaver) return () => stage.saved
  return undefined
}

/** What one row of the table is made of. */
class Meter {
  readonly #stage: Stage
  readonly #done: (() => number) | undefined
  readonly #samples: { at: number; done: number }[] = []

  constructor(stage: Stage, done: (() => number) | undefined) {
    this.#stage = stage
    this.#done = done
  }

  /** Name, in flight of how many, buffered of how many, done, rate. */
  cells(): string[] {
    const stage = this.#stage as Partial<Readable & Writable> & { inFlight?: number; concurrency?: number }
    const buffered = (stage.readableLength ?? 0) + (stage.writableLength ?? 0)
    const limit = (stage.readableHighWaterMark ?? 0) + (stage.writableHighWaterMark ?? 0)
    const done = this.#done?.()
    return [
      this.#stage.constructor.name,
      stage.inFlight === undefined || stage.concurrency === undefined
        ? ''
        : `${stage.inFlight}/${stage.concurrency}`,
      `${buffered}/${limit}`,
      done === undefined ? '' : done.toLocaleString('en'),
      done === undefined ? '' : `${this.#rate(done).toLocaleString('en')}/s`
    ]
  }

  #rate(done: number): number {
    const at = performance.now()
    this.#samples.push({ at, done })
    while (at - (this.#samples[0]?.at ?? at) > RATE_WINDOW_MS) this.#samples.shift()
    const first = this.#samples[0]
    return first === undefined || first.at === at
      ? 0
      : Math.round(((done - first.done) * 1000) / (at - first.at))
  }
}

function table(meters: readonly Meter[], report: Report, elapsedMs: number): string {
  const rows = [['stage', 'in flight', 'buffered', 'done', 'rate'], ...meters.map(meter => meter.cells())]
  const lines = columns(rows, new Set([1, 2, 3, 4]))
  return `${lines.join('\n')}\n${summary(report, elapsedMs)}`
}

function summary({ projects, files, failures }: Report, elapsedMs: number): string {
  const settled = projects.fetched + projects.unchanged + projects.missing + projects.failed
  return [
    `${Math.round(elapsedMs / 1000)} s`,
    `${Math.max(0, projects.listed - settled).toLocaleString('en')} projects to go`,
    `${prettyBytes(files.bytes)} of files`,
    `${failures.length} failed`
  ].join(' · ')
}

function logLine(report: Report, stages: readonly Stage[], elapsedMs: number): string {
  const { projects, packages } = report
  const saver = stages.find(stage => stage instanceof PackageSaver)
  return `${summary(report, elapsedMs)} · ${projects.fetched} projects fetched, ${packages.seen} packages seen, ${packages.kept} kept, ${saver?.saved ?? 0} saved`
}
