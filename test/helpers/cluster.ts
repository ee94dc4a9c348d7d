/** Workers of a cluster, in processes of their own and in the test's. */
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { IndexServerOptions } from '../../benchmarks/index-server/server.js'
import type { Report } from '../../lib/report.js'
import { type ClusterSyncOptions, clusterSync } from '../../streams/cluster-sync.js'
import { type WorkEvent, type WorkOptions, type WorkReport, work } from '../../streams/cluster-work.js'
import { startCli } from './cli.js'
import { indexServer } from './index-server.js'
import { emptyDatabase } from './postgres.js'
import { type SyncSetup, syncAt } from './sync.js'

export interface WorkerProcess {
  readonly pid: number
  /** Tells it to end, and waits until it did. Resolves with its status and what it said on stderr. */
  end(
    signal?: NodeJS.Signals
  ): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>
  /** What it has said so far on stderr. */
  said(): string
  /** Resolves when it has said what matches. */
  says(what: RegExp): Promise<void>
}

/** Starts a worker, which ends with the test at the latest. */
export function startWorker(t: Test, args: readonly string[], cwd: string): WorkerProcess {
  const { child, result } = startCli(['worker', ...args], cwd)
  let said = ''
  child.stderr?.on('data', data => {
    said += data
  })
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return await result
  }
  t.teardown(() => end('SIGKILL'))
  return {
    pid: child.pid as number,
    end,
    said: () => said,
    async says(what) {
      while (!what.test(said)) await once(child.stderr as NonNullable<typeof child.stderr>, 'data')
    }
  }
}

/** A cluster of a test's own: an index, an empty database, and workers in this process. */
export interface Cluster extends Omit<SyncSetup, 'run'> {
  /** Syncs by the workers that there are, with retries that do not wait. */
  run(options?: Partial<ClusterSyncOptions>): Promise<Report>
  /** Starts a worker. Gives what it was told, and what ends it. */
  worker(options?: Partial<WorkOptions>): {
    readonly events: WorkEvent[]
    readonly errors: Error[]
    /** Resolves when something becomes of a job. */
    next(outcome: WorkEvent['outcome']): Promise<WorkEvent>
    end(): Promise<WorkReport>
  }
}

export async function clusterSetup(t: Test, options: IndexServerOptions = {}): Promise<Cluster> {
  const index = await indexServer(t, { projects: 12, files: 3, ...options })
  const setup = syncAt(await emptyDatabase(t), join(t.testdir(), 'store'), index)
  const { catalog, store } = setup
  return {
    ...setup,
    run: more =>
      clusterSync({
        indexUrl: index.indexUrl,
        catalog,
        store,
        shards: 4,
        minTimeout: 1,
        maxTimeout: 2,
        ...more
      }),
    worker(more) {
      const events: WorkEvent[] = []
      const errors: Error[] = []
      const heard = new EventEmitter()
      const controller = new AbortController()
      const working = work({
        ...{ catalog, store, lostAfterMs: 2000, signal: controller.signal },
        onError: error => void errors.push(error),
        onEvent(event) {
          events.push(event)
          heard.emit(event.outcome, event)
        },
        ...more
      })
      const end = async () => {
        controller.abort()
        return await working
      }
      t.teardown(end)
      return { events, errors, end, next: async outcome => (await once(heard, outcome))[0] as WorkEvent }
    }
  }
}
