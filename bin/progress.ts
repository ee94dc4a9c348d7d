/**
 * Shows on stderr what a sync is doing: a table that renews itself on a terminal, plain lines elsewhere.
 */
import { createLogUpdate } from 'log-update'
import prettyBytes from 'pretty-bytes'
import { type Progress, projectsLeft, type StageProgress } from '../lib/progress.js'
import type { Report } from '../lib/report.js'
import { type ClusterProgress, PackageSaver, type Stage } from '../streams/index.js'
import { SyncProgress } from '../streams/sync-progress.js'
import { columns } from './table.js'

export const PROGRESS_KINDS = ['auto', 'bar', 'log', 'none'] as const

/** Between two renewals of the table, in ms, and between two lines. */
const BAR_INTERVAL_MS = 200
const LOG_INTERVAL_MS = 10_000

export interface Shown {
  /** Draws the last state, and draws no more. */
  stop(): void
}

/** Starts to show the stages of a sync and its report, which grows meanwhile. */
export function showProgress(
  kind: (typeof PROGRESS_KINDS)[number],
  stages: readonly Stage[],
  report: Report,
  stderr: NodeJS.WriteStream
): Shown {
  const progress = new SyncProgress(stages, report)
  return renew(
    kind,
    () => {
      progress.sample()
      return table(progress.read())
    },
    () => logLine(progress.read()),
    stderr
  )
}

/** Starts to show how far a cluster is, as it is told by `update`. */
export function showCluster(
  kind: (typeof PROGRESS_KINDS)[number],
  stderr: NodeJS.WriteStream
): Shown & { readonly update: (progress: ClusterProgress) => void } {
  let last: ClusterProgress | undefined
  const line = () => (last === undefined ? 'waiting' : clusterLine(last))
  return {
    ...renew(kind, line, line, stderr),
    update(progress) {
      last = progress
    }
  }
}

/** Shows what `draw` says on a terminal, renewed, or what `line` says elsewhere, from time to time. */
export function renew(
  kind: (typeof PROGRESS_KINDS)[number],
  draw: (elapsedMs: number) => string,
  line: (elapsedMs: number) => string,
  stderr: NodeJS.WriteStream
): Shown {
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

/** Name, in flight of how many, buffered of how many, done with, rate. */
function cells(stage: StageProgress): string[] {
  const { name, inFlight, concurrency, input, output, passed, rate } = stage
  const buffered = (input?.length ?? 0) + (output?.length ?? 0)
  const limit = (input?.highWaterMark ?? 0) + (output?.highWaterMark ?? 0)
  return [
    name,
    inFlight === undefined ? '' : `${inFlight}/${concurrency}`,
    `${buffered}/${limit}`,
    passed?.toLocaleString('en') ?? '',
    rate === undefined ? '' : `${rate.toLocaleString('en')}/s`
  ]
}

function table(progress: Progress): string {
  const rows = [['stage', 'in flight', 'buffered', 'done', 'rate'], ...progress.stages.map(cells)]
  const lines = columns(rows, new Set([1, 2, 3, 4]))
  return `${lines.join('\n')}\n${summary(progress)}`
}

function summary({ elapsedMs, left, report }: Progress): string {
  return [
    `${Math.round(elapsedMs / 1000)} s`,
    `${left.toLocaleString('en')} projects to go`,
    `${prettyBytes(report.files.bytes)} of files`,
    `${report.failures} failed`
  ].join(' · ')
}

function logLine(progress: Progress): string {
  const { projects, packages } = progress.report
  const saved = progress.stages.find(({ name }) => name === PackageSaver.name)?.passed ?? 0
  const documents = progress.stages.find(({ fetches }) => fetches === 'documents')
  const inFlight =
    documents === undefined ? '' : ` · ${documents.inFlight}/${documents.concurrency} documents in flight`
  return `${summary(progress)}${inFlight} · ${projects.fetched} projects fetched, ${packages.seen} packages seen, ${packages.kept} kept, ${saved} saved`
}

function clusterLine({ elapsedMs, listed, shards, done, workers, counts }: ClusterProgress): string {
  const { projects, packages, files, failures } = counts
  const of = listed ? `${done} of ${shards} shards · ${workers} at work` : 'reading the listing'
  const left = projectsLeft(counts).toLocaleString('en')
  return `${Math.round(elapsedMs / 1000)} s · ${of} · ${left} projects to go · ${prettyBytes(files.bytes)} of files · ${failures} failed · ${projects.fetched} projects fetched, ${packages.seen} packages seen, ${packages.kept} kept`
}
