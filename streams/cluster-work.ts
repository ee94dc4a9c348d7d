/**
 * A worker of a cluster: takes shards of runs, whatever sync laid them down, and runs the stages of a sync on each.
 */
import { hostname } from 'node:os'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Job } from 'bullmq'
import { Catalog } from '../lib/catalog/catalog.js'
import { isPostgresUrl } from '../lib/catalog/postgres/location.js'
import type { Run } from '../lib/catalog/run.js'
import type { Shard, ShardReport } from '../lib/catalog/shards.js'
import { type ShardJob, ShardQueue } from '../lib/cluster/queue.js'
import { OptionError, RunEndedError } from '../lib/errors.js'
import { type OriginOptions, Origins } from '../lib/http/origins.js'
import { finite } from '../lib/options.js'
import { addCounts, type Counts, countsOf } from '../lib/progress.js'
import { emptyReport, type Failure, failureOf } from '../lib/report.js'
import { openStore } from '../lib/store/open-store.js'
import type { Store } from '../lib/store/store.js'
import { type Settings, settingsOf } from './sync.js'
import { syncKeys } from './sync-keys.js'
import { fullCheckMs, packageStages, type SyncOptions, savingStages, sourceStage } from './sync-stages.js'
import { SyncWatch } from './sync-watch.js'

/** What is a worker's own, and not what the sync asked for. */
type OwnOptions = Pick<
  SyncOptions,
  'dispatcher' | 'headers' | 'authorization' | 'concurrency' | 'downloadConcurrency'
> & {
  /** Only what holds for the worker alone: the requests a second are the cluster's. */
  readonly origins?: Pick<OriginOptions, 'concurrencyPerOrigin'> | undefined
}

/** What the row of a run has of the options of its sync. */
interface AskedOptions extends Omit<SyncOptions, 'origins'> {
  readonly indexUrl: string
  readonly origins?: OriginOptions
}

/** What became of a job. */
export interface WorkEvent {
  readonly run: number
  /** `undefined` for the commit. */
  readonly shard: number | undefined
  readonly repository: string
  readonly outcome: 'begun' | 'done' | 'failed' | 'given back'
  readonly error?: Error | undefined
}

/** What a worker did. */
export interface WorkReport {
  /** Shards done. */
  shards: number
  /** Of the shards that were done. */
  counts: Counts
  /** Versions made. */
  commits: number
}

export interface WorkOptions {
  /** A PostgreSQL database: `postgres://…` */
  readonly catalog: string
  /** The queue: a `postgres://…` or `redis://…` URL. @defaultValue the catalog's database */
  readonly queue?: string | undefined
  /** Where files go: the same for all workers, by whatever path. @defaultValue `millrace-store` */
  readonly store?: Store | string | undefined
  /** After how long a worker that is not heard of has lost its shard, in ms. From 1000. @defaultValue 30,000 */
  readonly lostAfterMs?: number | undefined
  /** Gives what is the worker's own of a sync's options, for an index. @defaultValue what the sync was given */
  readonly own?: ((index: URL) => OwnOptions) | undefined
  /** Ends the worker when aborted; the shard at hand is given back. */
  readonly signal?: AbortSignal | undefined
  /** Is told what the worker does. */
  readonly onEvent?: ((event: WorkEvent) => void) | undefined
  /** Is told what goes wrong between the worker and the queue; the worker tries again. */
  readonly onError?: ((error: Error) => void) | undefined
}

/** Between two times that a worker tells how far its shard is, in ms. */
const TELL_MS = 1000

/**
 * Takes shards and commits until `signal` is aborted.
 * @throws {@link OptionError}, {@link CatalogError} and {@link StoreError} when it cannot begin
 */
export async function work(options: WorkOptions): Promise<WorkReport> {
  const { catalog, queue = catalog, store = 'millrace-store', lostAfterMs = 30_000, signal } = options
  if (!isPostgresUrl(catalog)) throw new OptionError('catalog', 'a postgres:// URL, for a cluster', 'another')
  finite('lostAfterMs', lostAfterMs, 1000)
  const opened = await Catalog.open(catalog, { connections: 2 })
  const queued = await ShardQueue.open(queue).catch(async error => {
    await opened.close()
    throw error
  })
  try {
    const kept = await openStore(store)
    await kept.clean()
    const worker = new ClusterWorker(opened, kept, options)
    const taking = await queued.worker((job, token) => worker.process(job, token as string), {
      ...{ name: worker.name, lostAfterMs, onError: options.onError }
    })
    await new Promise<void>(resolve => {
      if (signal?.aborted) resolve()
      else signal?.addEventListener('abort', () => resolve(), { once: true })
    })
    await taking.close()
    return worker.report
  } finally {
    await queued.close()
    await opened.close()
  }
}

class ClusterWorker {
  /** Of the process, on the board and in the catalog. */
  readonly name = `${hostname()}.${process.pid}`
  readonly report: WorkReport = { shards: 0, commits: 0, counts: countsOf(emptyReport('')) }
  readonly #catalog: Catalog
  readonly #store: Store
  readonly #options: WorkOptions
  /** What the shard at hand could not have, where it failed. */
  #failed: readonly Failure[] = []

  constructor(catalog: Catalog, store: Store, options: WorkOptions) {
    this.#catalog = catalog
    this.#store = store
    this.#options = options
  }

  async process(job: Job<ShardJob>, token: string): Promise<unknown> {
    const { UnrecoverableError, WaitingError } = await import('bullmq')
    const { run, shard } = job.data
    let repository = ''
    const tell = (outcome: WorkEvent['outcome'], error?: Error) =>
      this.#options.onEvent?.({ run, shard, repository, outcome, error })
    let settings: Settings | undefined
    this.#failed = []
    try {
      // The worker before this one ended between the commit and its job.
      if (shard === undefined && (await this.#catalog.shards.state(run)).state === 'done') return undefined
      const asked = await this.#asked(run)
      repository = asked.settings.repository
      settings = asked.settings
      tell('begun')
      const counts =
        shard === undefined ? await this.#commit(run, asked) : await this.#shard(run, shard, asked)
      tell('done')
      return counts
    } catch (error) {
      if (this.#options.signal?.aborted && !(error instanceof RunEndedError)) {
        await job.moveToWait(token)
        tell('given back')
        throw new WaitingError()
      }
      tell('failed', error as Error)
      if (error instanceof RunEndedError) throw new UnrecoverableError(error.message)
      if (settings?.strict !== true && job.attemptsMade + 1 < (job.opts.attempts as number)) throw error
      await this.#catalog.shards.fail(run, this.#failures(error as Error))
      throw new UnrecoverableError((error as Error).message)
    }
  }

  /** What the sync asked for, with what is the worker's own. */
  async #asked(run: number): Promise<{ readonly settings: Settings; readonly index: URL }> {
    const { repository, options } = await this.#catalog.shards.asked(run)
    const { indexUrl, ...asked } = options as AskedOptions
    const { origins, ...own } = this.#options.own?.(new URL(indexUrl)) ?? {}
    return settingsOf({
      ...{ ...asked, indexUrl, repository, catalog: this.#catalog, store: this.#store, ...own },
      origins: new Origins({ ...asked.origins, ...origins, shared: this.#catalog.origins })
    })
  }

  async #join(run: number, { settings, index }: { settings: Settings; index: URL }): Promise<Run> {
    const { key, projectKey } = syncKeys(settings, index)
    return await this.#catalog.joinRun(run, {
      ...{ optionsKey: key, projectKey, files: settings.policy === 'immediate' },
      fullCheckMs: fullCheckMs(settings)
    })
  }

  async #commit(run: number, asked: { settings: Settings; index: URL }): Promise<Counts> {
    const joined = await this.#join(run, asked)
    try {
      const counts = await joined.commitShards(asked.settings)
      this.report.commits++
      return counts
    } finally {
      await joined.abandon()
    }
  }

  async #shard(
    run: number,
    number: number,
    asked: { settings: Settings; index: URL }
  ): Promise<Counts | undefined> {
    const shard = await this.#catalog.shards.take(run, number, this.name)
    // The worker before this one ended between the shard and its job.
    if (shard === undefined) return undefined
    const joined = await this.#join(run, asked)
    try {
      const report = await this.#run(shard, joined, asked)
      this.report.shards++
      this.report.counts = addCounts(this.report.counts, report.counts)
      return report.counts
    } finally {
      await joined.abandon()
    }
  }

  /** Runs the stages on the projects of a shard. */
  async #run(
    shard: Shard,
    run: Run,
    { settings, index }: { settings: Settings; index: URL }
  ): Promise<ShardReport> {
    const report = emptyReport(settings.repository)
    const watch = new SyncWatch(run, report, settings)
    const told = (): ShardReport => {
      const counts = countsOf(report)
      return { unsure: watch.unsure, counts: { ...counts, projects: { ...counts.projects, listed: 0 } } }
    }
    const stages = [
      sourceStage(settings, index, { listed: shard.projects }),
      ...packageStages(settings, index, run),
      ...savingStages(settings, index, run, settings.policy === 'immediate' ? this.#store : undefined),
      new Writable({ objectMode: true, write: (_pkg, _encoding, callback) => callback() })
    ]
    watch.observe(stages)
    const { signal, stop } = this.#telling(shard, told, settings)
    try {
      await pipeline(stages, { signal })
      await run.ledger.end()
      watch.finish()
      await stop()
      await this.#catalog.shards.end(shard, told(), report.failures)
      return told()
    } catch (error) {
      await stop()
      await run.ledger.flush().catch(() => {})
      const reason = signal.aborted ? (signal.reason as Error) : (error as Error)
      this.#failed = report.failures
      if (this.#options.signal?.aborted) await this.#catalog.shards.giveBack(shard)
      throw reason
    }
  }

  /** What could not be had until the error that ended a shard, and that. */
  #failures(error: Error): Failure[] {
    const failure = failureOf(error, {})
    const told = this.#failed.at(-1)?.message === failure.message
    return told ? [...this.#failed] : [...this.#failed, failure]
  }

  /** Tells how far a shard is, until `stop`; `signal` is aborted when it is no longer this worker's to do. */
  #telling(
    shard: Shard,
    told: () => ShardReport,
    { origins }: Settings
  ): { readonly signal: AbortSignal; readonly stop: () => Promise<void> } {
    const controller = new AbortController()
    let telling: Promise<void> | undefined
    const timer = setInterval(() => {
      telling ??= this.#catalog.shards
        .tell(shard, told())
        .then(() => (origins as Origins).heed())
        .catch(error => controller.abort(error))
        .finally(() => {
          telling = undefined
        })
    }, TELL_MS)
    const { signal = controller.signal } = this.#options
    return {
      signal: AbortSignal.any([controller.signal, signal]),
      stop: async () => {
        clearInterval(timer)
        await telling
      }
    }
  }
}
