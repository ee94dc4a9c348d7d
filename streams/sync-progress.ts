/**
 * Measures the stages of a sync while they run. It reads what streams tell of themselves, and holds nothing up.
 */
import type { Duplex } from 'node:stream'
import type { Run } from '../lib/catalog/run.js'
import { countsOf, type Progress, projectsLeft, type StageProgress } from '../lib/progress.js'
import type { Report } from '../lib/report.js'
import { BatchTransform } from './batch-transform.js'
import { ConcurrentTransform } from './concurrent-transform.js'
import { Downloader } from './downloader.js'
import { MetadataParser } from './metadata-parser.js'
import { PackageFilter } from './package-filter.js'
import { ProjectSource } from './project-source.js'
import type { Stage } from './sync-stages.js'

/** Between two looks at the stages, in ms: what is true only for an instant is no picture. */
const SAMPLE_MS = 100

/** Between two times that another process may read it, in ms. */
const RECORD_MS = 1000

/** Rates are over the last so many ms, so that they follow what happens, and back-pressure over so many. */
const RATE_WINDOW_MS = 5000
const WAIT_WINDOW_MS = 1000

export class SyncProgress {
  readonly #meters: readonly Meter[]
  readonly #source: Stage | undefined
  readonly #report: Report
  readonly #startedAt = performance.now()

  /** `report` is the one that grows while the stages run. */
  constructor(stages: readonly Stage[], report: Report) {
    const documents = stages.find(stage => stage instanceof Downloader)
    this.#meters = stages.map((stage, at) => {
      const fetches = stage instanceof Downloader ? (stage === documents ? 'documents' : 'files') : undefined
      return new Meter(stage, stages[at + 1], fetches, passedOf(stage, report))
    })
    this.#source = stages[0]
    this.#report = report
  }

  /** Looks at the stages; to be called several times a second. */
  sample(): void {
    const at = performance.now()
    for (const meter of this.#meters) meter.sample(at)
  }

  /** What the stages are doing. */
  read(): Progress {
    const elapsedMs = Math.round(performance.now() - this.#startedAt)
    return {
      elapsedMs,
      left: projectsLeft(this.#report),
      listed: (this.#source as Telling | undefined)?.readableEnded === true,
      stages: this.#meters.map(meter => meter.read()),
      report: { ...countsOf(this.#report), durationMs: elapsedMs }
    }
  }
}

/**
 * Lets other processes see what the stages of a run are doing, through the catalog, until the function that it gives is
 * called; that resolves when nothing more is written. Where it cannot be written, the sync goes on without.
 */
export function recordProgress(
  run: Pick<Run, 'recordProgress'>,
  stages: readonly Stage[],
  report: Report
): () => Promise<void> {
  const progress = new SyncProgress(stages, report)
  let writing: Promise<void> | undefined
  let written = Number.NEGATIVE_INFINITY
  const timer = setInterval(() => {
    progress.sample()
    const now = performance.now()
    // While a version is made, that one write may take minutes.
    if (writing !== undefined || now - written < RECORD_MS) return
    written = now
    writing = run
      .recordProgress(progress.read())
      .catch(() => {})
      .finally(() => {
        writing = undefined
      })
  }, SAMPLE_MS)
  return async () => {
    clearInterval(timer)
    await writing
  }
}

/** How many objects a stage has done with; `undefined` for a stage that does not say. */
function passedOf(stage: Stage, { packages }: Report): (() => number) | undefined {
  if (stage instanceof ProjectSource) return () => stage.given
  if (stage instanceof BatchTransform || stage instanceof ConcurrentTransform) return () => stage.passed
  if (stage instanceof MetadataParser) return () => packages.seen
  if (stage instanceof PackageFilter) return () => packages.kept
  return undefined
}

interface Sample {
  readonly at: number
  readonly passed: number
  readonly waits: boolean
}

/** What streams tell of themselves, and ours besides. */
type Telling = Partial<Duplex> & { readonly inFlight?: number; readonly concurrency?: number }

/** What is known of one stage. */
class Meter {
  readonly #stage: Telling
  readonly #reader: Telling | undefined
  readonly #fetches: StageProgress['fetches']
  readonly #passed: (() => number) | undefined
  readonly #samples: Sample[] = []
  #looks = 0
  #seenInFlight = 0

  constructor(
    stage: Stage,
    reader: Stage | undefined,
    fetches: StageProgress['fetches'],
    passed: (() => number) | undefined
  ) {
    this.#stage = stage as Telling
    this.#reader = reader as Telling | undefined
    this.#fetches = fetches
    this.#passed = passed
  }

  sample(at: number): void {
    // Node's pipes stop to read when the reader's `write` returned false, until it drains.
    const waits = this.#reader?.writableNeedDrain === true
    this.#samples.push({ at, passed: this.#passed?.() ?? 0, waits })
    while (at - (this.#samples[0] as Sample).at > RATE_WINDOW_MS) this.#samples.shift()
    if (this.#ended) return
    this.#looks++
    this.#seenInFlight += this.#stage.inFlight ?? 0
  }

  read(): StageProgress {
    const { inFlight, concurrency } = this.#stage
    const { readableLength, readableHighWaterMark, writableLength, writableHighWaterMark } = this.#stage
    const side = (length: number | undefined, highWaterMark: number | undefined) =>
      length === undefined || highWaterMark === undefined ? undefined : { length, highWaterMark }
    const calls = inFlight === undefined || concurrency === undefined ? undefined : { inFlight, concurrency }
    return {
      name: (this.#stage as object).constructor.name,
      fetches: this.#fetches,
      ...calls,
      meanInFlight: calls && this.#seenInFlight / Math.max(1, this.#looks),
      input: side(writableLength, writableHighWaterMark),
      output: side(readableLength, readableHighWaterMark),
      passed: this.#passed?.(),
      rate: this.#passed && this.#rate(),
      waits: this.#waits(),
      ended: this.#ended
    }
  }

  /** A stage with nothing to be read is a sink. */
  get #ended(): boolean {
    return (this.#stage.readableEnded ?? this.#stage.writableFinished) === true
  }

  #rate(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || first === last) return 0
    return Math.round(((last.passed - first.passed) * 1000) / (last.at - first.at))
  }

  #waits(): number {
    const since = (this.#samples.at(-1)?.at ?? 0) - WAIT_WINDOW_MS
    const recent = this.#samples.filter(({ at }) => at >= since)
    return recent.filter(({ waits }) => waits).length / Math.max(1, recent.length)
  }
}
