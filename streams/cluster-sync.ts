/**
 * A sync by a cluster: begins a run, reads the listing, and lays the projects that are due down as shards. Workers
 * (`cluster-work.ts`) do the rest, the commit included; this process waits, and tells how far they are.
 */

import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Catalog } from '../lib/catalog/catalog.js'
import type { KnownProject } from '../lib/catalog/known.js'
import { isPostgresUrl } from '../lib/catalog/postgres/location.js'
import type { Run } from '../lib/catalog/run.js'
import type { ShardProject, ShardsState } from '../lib/catalog/shards.js'
import { type Flow, ShardQueue } from '../lib/cluster/queue.js'
import { ClusterError, OptionError, RunEndedError } from '../lib/errors.js'
import type { OriginOptions } from '../lib/http/origins.js'
import { redactUrl } from '../lib/http/redact.js'
import { watchSync } from '../lib/observe.js'
import { integer } from '../lib/options.js'
import { type Counts, countsOf, projectsLeft } from '../lib/progress.js'
import { documentUrls } from '../lib/pypi/index-urls.js'
import { emptyReport, failureOf, type Report } from '../lib/report.js'
import { openStore } from '../lib/store/open-store.js'
import { ProjectLookup } from './project-lookup.js'
import { type Settings, settingsOf, shownOptions } from './sync.js'
import { syncKeys } from './sync-keys.js'
import { fullCheckMs, type SyncOptions, sourceStage } from './sync-stages.js'
import { SyncWatch } from './sync-watch.js'

/** How far a cluster is. */
export interface ClusterProgress extends Omit<ShardsState, 'state'> {
  readonly elapsedMs: number
  /** Whether the listing was read to its end. */
  readonly listed: boolean
}

export interface ClusterSyncOptions extends Omit<SyncOptions, 'catalog' | 'origins' | 'stages'> {
  /** A PostgreSQL database: `postgres://…` */
  readonly catalog: string
  /** For the workers; the rate of requests is the cluster's. */
  readonly origins?: OriginOptions | undefined
  /** The queue: a `postgres://…` or `redis://…` URL. @defaultValue the catalog's database */
  readonly queue?: string | undefined
  /** Parts that the projects are dealt out to, at most: what a worker takes at a time. @defaultValue 64 */
  readonly shards?: number | undefined
  /** Is told from time to time how far the cluster is. */
  readonly onProgress?: ((progress: ClusterProgress) => void) | undefined
}

/** Between two looks at the run, at whether a part of it failed, and between two times that others may read how far it is, in ms. */
const [LOOK_MS, RECORD_MS] = [200, 1000]

/**
 * Brings a repository up to date with an index, as `sync()` does, by the workers of a cluster. Without a worker it waits
 * for one.
 * @throws as `sync()`, and {@link ClusterError} when a shard failed for good, {@link RunEndedError} when another sync took
 * the repository over
 */
export async function clusterSync(options: ClusterSyncOptions): Promise<Report> {
  const { catalog, queue = catalog, shards = 64, onProgress, ...rest } = options
  if (!isPostgresUrl(catalog)) throw new OptionError('catalog', 'a postgres:// URL, for a cluster', 'another')
  integer('shards', shards, 1, 10_000)
  if (rest.dryRun)
    throw new OptionError('dryRun', 'left out with a cluster: one process can tell as much', 'true')
  const { settings, index } = settingsOf({ ...rest, catalog })
  options.signal?.throwIfAborted()
  const report = emptyReport(settings.repository)
  const startedAt = performance.now()
  const opened = await Catalog.open(catalog)
  const queued = await ShardQueue.open(queue).catch(async error => {
    await opened.close()
    throw error
  })
  try {
    const coordinator = new Coordinator(opened, queued, settings, index, report, {
      ...{ shards, onProgress, startedAt, origins: rest.origins }
    })
    await watchSync(report, () => coordinator.run())
  } finally {
    report.durationMs = Math.round(performance.now() - startedAt)
    await queued.close()
    await opened.close()
  }
  return report
}

interface CoordinatorOptions {
  readonly shards: number
  readonly onProgress: ClusterSyncOptions['onProgress']
  readonly startedAt: number
  readonly origins: OriginOptions | undefined
}

class Coordinator {
  readonly #catalog: Catalog
  readonly #queue: ShardQueue
  readonly #settings: Settings
  readonly #index: URL
  readonly #report: Report
  readonly #options: CoordinatorOptions
  /** What the listing came to. */
  readonly #listing: Report
  #state: Omit<ShardsState, 'state'> | undefined

  constructor(
    catalog: Catalog,
    queue: ShardQueue,
    settings: Settings,
    index: URL,
    report: Report,
    options: CoordinatorOptions
  ) {
    this.#catalog = catalog
    this.#queue = queue
    this.#settings = settings
    this.#index = index
    this.#report = report
    this.#options = options
    this.#listing = emptyReport(report.repository)
  }

  async run(): Promise<void> {
    const { repository, mirror = false, policy, keepVersions, store, signal } = this.#settings
    const { key, projectKey } = syncKeys(this.#settings, this.#index)
    const { origins } = this.#options
    const run = await this.#catalog.beginRun({
      ...{ repository, mirror, projectKey, optionsKey: key },
      options: { ...shownOptions(this.#settings), indexUrl: redactUrl(this.#index), cluster: true, origins },
      files: policy === 'immediate',
      fullCheckMs: fullCheckMs(this.#settings)
    })
    let flow: Flow | undefined
    const stop = this.#recordProgress(run)
    try {
      const shards = await this.#layDown(run)
      if (shards > 0) {
        flow = await this.#queue.add(run.id, shards)
        await this.#ended(run, flow)
      } else await run.commitShards(this.#settings)
      await stop()
      await run.abandon()
    } catch (error) {
      await stop()
      if (await run.cancel(signal?.aborted ? 'interrupted' : 'failed', this.#told())) {
        await flow?.cancel().catch(() => {})
        const failure = failureOf(error as Error, {})
        this.#report.failures.push(...(await this.#catalog.shards.failures(run.id).catch(() => [])))
        if (!signal?.aborted) this.#report.failures.push(failure)
        throw error
      }
      // It was committed a moment before.
      if ((await this.#catalog.shards.state(run.id)).state !== 'done') throw error
    }
    await this.#take(run.id)
    if (keepVersions !== undefined) await this.#catalog.removeUnusedFiles(await openStore(store))
  }

  /** Deals out what is due. Gives the number of shards. */
  async #layDown(run: Run): Promise<number> {
    const due = await run.due()
    const { signal, source } = this.#settings
    const { strict, uploadedBefore } = this.#settings
    const watch = new SyncWatch(run, this.#listing, { strict, uploadedBefore, due })
    const urlOf = documentUrls(this.#index, source)
    const shards: ShardProject[][] = []
    let at = 0
    const list = [
      sourceStage(this.#settings, this.#index, { due }),
      new ProjectLookup({ run }),
      new Writable({
        objectMode: true,
        write: ({ project, name, url, serial }: KnownProject, _encoding, callback) => {
          const shard = at++ % this.#options.shards
          shards[shard] ??= []
          shards[shard].push({ name, serial, url: url === urlOf(project) ? undefined : url })
          callback()
        }
      })
    ]
    watch.observe(list)
    await pipeline(list, signal === undefined ? {} : { signal })
    await watch.record()
    await run.keepListed()
    await this.#catalog.shards.layDown(run.id, shards, {
      counts: countsOf(this.#listing),
      unsure: watch.unsure,
      listing: { complete: watch.completeListing, kept: watch.keptListing }
    })
    return shards.length
  }

  /** Waits until the run is committed. */
  async #ended(run: Run, flow: Flow): Promise<void> {
    const { signal } = this.#settings
    let askedAt = performance.now()
    for (;;) {
      const { state, ...rest } = await this.#catalog.shards.state(run.id)
      if (state === 'done') return
      if (state !== 'running') throw new RunEndedError(run.id)
      this.#state = rest
      this.#count(rest.counts)
      if (performance.now() - askedAt > RECORD_MS) {
        // What was in its way may be over, as the queue may be away for a moment.
        const failure = await flow.failure().catch(() => undefined)
        if (failure !== undefined) {
          const failures = await this.#catalog.shards.failures(run.id)
          // The queue knows less of it than who failed.
          throw new ClusterError(
            run.id,
            [failure, ...failures.map(({ message }) => message)].at(-1) as string
          )
        }
        askedAt = performance.now()
      }
      await sleep(LOOK_MS, undefined, { signal })
    }
  }

  /** Takes over what the run's row says at its end. */
  async #take(run: number): Promise<void> {
    const { counts } = await this.#catalog.shards.state(run)
    this.#count(counts)
    Object.assign(this.#report, { version: counts.version, changed: counts.changed })
    this.#report.failures.push(...(await this.#catalog.shards.failures(run)))
  }

  #count({ projects, packages, files }: Counts): void {
    Object.assign(this.#report.projects, projects)
    Object.assign(this.#report.packages, packages)
    Object.assign(this.#report.files, files)
  }

  #told(): Counts {
    return { ...countsOf(this.#report), durationMs: Math.round(performance.now() - this.#options.startedAt) }
  }

  /** Tells how far the cluster is, until the function that it gives is called. */
  #recordProgress(run: Run): () => Promise<void> {
    const { onProgress, startedAt } = this.#options
    let writing: Promise<void> | undefined
    let written = Number.NEGATIVE_INFINITY
    const timer = setInterval(() => {
      const listed = this.#state !== undefined
      const nothing = { shards: 0, done: 0, workers: 0, counts: countsOf(this.#listing) }
      const elapsedMs = Math.round(performance.now() - startedAt)
      const progress: ClusterProgress = { ...(this.#state ?? nothing), listed, elapsedMs }
      onProgress?.(progress)
      if (writing !== undefined || elapsedMs - written < RECORD_MS) return
      written = elapsedMs
      const { counts, shards, done, workers } = progress
      writing = run
        .recordProgress({
          ...{ elapsedMs, listed, left: projectsLeft(counts), stages: [] },
          report: { ...counts, durationMs: elapsedMs },
          cluster: { shards, done, workers }
        })
        .catch(() => {})
        .finally(() => {
          writing = undefined
        })
    }, LOOK_MS)
    return async () => {
      clearInterval(timer)
      await writing
    }
  }
}
