/**
 * The queue of shards: BullMQ, in the PostgreSQL database of the catalog or in Redis. A run is one flow: its shards, and
 * the commit as their parent. Jobs are numbers alone; what they stand for is in the catalog.
 */
import type { FlowProducer, Processor, Queue, Worker } from 'bullmq'
import { isPostgresUrl, shownLocation } from '../catalog/postgres/location.js'
import { ClusterError, OptionError } from '../errors.js'

/** What a worker is given: a shard of a run, or, without a number, its commit. */
export interface ShardJob {
  readonly run: number
  readonly shard?: number | undefined
}

/** A run in the queue. */
export interface Flow {
  /** Why it will never be committed; `undefined` while it may. */
  failure(): Promise<string | undefined>
  /** Takes out what nobody has begun. */
  cancel(): Promise<void>
}

export interface WorkerSettings {
  /** Shown on the queue board. */
  readonly name: string
  /** After how long a worker that is not heard of has lost what it had, in ms. */
  readonly lostAfterMs: number
  /** Is told what goes wrong between the worker and the queue; the worker tries again. */
  readonly onError?: ((error: Error) => void) | undefined
}

/** Its name, and the schema that it has in a PostgreSQL database. */
const [QUEUE, SCHEMA] = ['millrace', 'millrace_queue']

/** Between two tries of what failed, the first time and at most. */
const [RETRY_MS, TRIES] = [1000, 5]

/** How often a shard may lose its worker before it counts as what ends them. */
const MAX_LOST = 25

/** Jobs that are over stay for the board. */
const KEPT = { age: 7 * 24 * 3600, count: 10_000 }

/** Reaches the same queue by the same URL. */
export class ShardQueue {
  readonly #bullmq: typeof import('bullmq')
  readonly #backend: never
  readonly #connection: never
  readonly #opened: { close(): Promise<void> }[] = []

  private constructor(bullmq: typeof import('bullmq'), location: string) {
    this.#bullmq = bullmq
    const postgres = isPostgresUrl(location)
    this.#backend = (postgres ? bullmq.createPostgresBackend : undefined) as never
    this.#connection = (
      postgres
        ? { connectionString: location, schema: SCHEMA, migrate: true, max: 2, keepAlive: true }
        : { url: location, maxRetriesPerRequest: null }
    ) as never
  }

  /** `location` is a `postgres://…` or `redis://…` URL, given as `option`. @throws {@link OptionError} */
  static async open(location: string, option = 'queue'): Promise<ShardQueue> {
    if (isPostgresUrl(location)) shownLocation(location)
    else if (!/^rediss?:\/\//i.test(location) || !URL.canParse(location))
      throw new OptionError(option, 'a postgres:// or redis:// URL', 'another')
    return new ShardQueue(await import('bullmq'), location)
  }

  /** For a queue board. */
  get queue(): Queue {
    return this.#keep(new this.#bullmq.Queue(QUEUE, { connection: this.#connection }, this.#backend))
  }

  /** Lays down the shards 1 to `shards` of a run, and its commit as what comes after them. */
  async add(run: number, shards: number): Promise<Flow> {
    const producer: FlowProducer = this.#keep(
      new this.#bullmq.FlowProducer({ connection: this.#connection }, this.#backend)
    )
    const opts = {
      attempts: TRIES,
      backoff: { type: 'exponential', delay: RETRY_MS },
      removeOnComplete: KEPT,
      removeOnFail: KEPT
    }
    await reach(producer)
    const { job } = await producer.add({
      ...{ name: 'commit', queueName: QUEUE, data: { run } satisfies ShardJob, opts },
      children: Array.from({ length: shards }, (_, at) => ({
        name: 'shard',
        queueName: QUEUE,
        data: { run, shard: at + 1 } satisfies ShardJob,
        opts: { ...opts, failParentOnFailure: true }
      }))
    })
    const { queue } = this
    return {
      failure: async () => {
        const found = await queue.getJob(job.id as string)
        if (found === undefined) return 'it is no longer in the queue'
        // What one of its children failed with is told when a worker takes it, unless it is asked for.
        return found.deferredFailure ?? ((await found.isFailed()) ? found.failedReason : undefined)
      },
      cancel: async () => {
        await job.removeUnprocessedChildren()
        await job.remove({ removeChildren: false })
      }
    }
  }

  /**
   * Takes jobs, one at a time, until it is closed, which waits for the one at hand.
   * @throws {@link ClusterError} when the database cannot be reached; Redis is waited for
   */
  async worker(
    process: Processor<ShardJob>,
    { name, lostAfterMs, onError }: WorkerSettings
  ): Promise<Worker<ShardJob>> {
    const worker = new this.#bullmq.Worker<ShardJob>(
      QUEUE,
      process,
      {
        ...{ connection: this.#connection, name, maxStalledCount: MAX_LOST },
        ...{ lockDuration: lostAfterMs, stalledInterval: lostAfterMs / 2, runRetryDelay: RETRY_MS }
      },
      this.#backend
    )
    this.#keep(worker, onError)
    await reach(worker)
    return worker
  }

  /** Closes all that was opened of it. */
  async close(): Promise<void> {
    for (const one of this.#opened.splice(0)) await one.close()
  }

  #keep<T extends { close(): Promise<void>; on(event: 'error', listener: (error: Error) => void): unknown }>(
    opened: T,
    onError: (error: Error) => void = () => {}
  ): T {
    opened.on('error', onError)
    this.#opened.push(opened)
    return opened
  }
}

/** Opens the connections. What fails at first would fail for ever. */
async function reach(opened: { waitUntilReady(): Promise<unknown> }): Promise<void> {
  try {
    await opened.waitUntilReady()
  } catch (error) {
    throw new ClusterError(undefined, `its queue cannot be reached: ${(error as Error).message}`, error)
  }
}
